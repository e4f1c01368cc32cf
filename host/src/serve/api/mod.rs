//! Everything the pages do, as JSON.
