//! What a person is shown and may ask for, once for pages and API.
