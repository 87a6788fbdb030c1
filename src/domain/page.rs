//! Paging of lists, as the upstream counts it: pages from 1, at most 100 entries a page.

use super::value::number_value;

number_value!(
    /// Number of a page, from 1.
    PageNumber,
    1..=u32::MAX >> 1,
    "must be a page number from 1 to 2147483647",
    example = 1
);
number_value!(
    /// Entries a page, 1 to 100.
    PageSize,
    1..=100,
    "must be from 1 to 100",
    example = 20
);
