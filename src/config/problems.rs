//! Collects what is wrong, so that a person mends it in one go.

use std::fmt;

/// Everything that is wrong with a configuration, a line each.
#[derive(Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Adds a line. It must name the flag or variable, and quote no secret.
    pub fn add(&mut self, line: impl Into<String>) {
        self.0.push(line.into());
    }

    /// How much is wrong.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value where nothing was wrong, else the problems.
    ///
    /// # Errors
    /// Itself, where there are problems.
    pub fn or<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
