//! Pages drawn from fixed data: every page, in both languages, for viewer and operator, of people who write what one
//! would wish and of people who do not.

mod fixed;
mod look;
mod markup;

use crate::config::Role;
use crate::model::Lang;
