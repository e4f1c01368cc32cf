//! What a rules file is refused for.
