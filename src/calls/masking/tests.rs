//! The rules on whole results, and a search for what gets through.
