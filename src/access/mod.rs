//! Who calls: principals out of tokens. Knows no route, no header and no tool.

pub mod oauth;
