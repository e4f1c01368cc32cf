//! Pages drawn from fixed data.
