//! Spark's functions of the group xml, which are refused by name.

use crate::{Function, Group, Resolve};

/// The rows of this group.
pub(crate) const ROWS: &[Function] = &[
    refused("xpath", "xpath(xml, xpath) - The nodes that an XPath expression finds."),
    refused("xpath_boolean", "xpath_boolean(xml, xpath) - Whether an XPath expression finds something."),
    refused("xpath_double", "xpath_double(xml, xpath) - The number that an XPath expression finds."),
    refused("xpath_float", "xpath_float(xml, xpath) - The number that an XPath expression finds, as a float."),
    refused("xpath_int", "xpath_int(xml, xpath) - The whole number that an XPath expression finds."),
    refused("xpath_long", "xpath_long(xml, xpath) - The whole number that an XPath expression finds, as a bigint."),
    refused("xpath_number", "xpath_number(xml, xpath) - The number that an XPath expression finds."),
    refused("xpath_short", "xpath_short(xml, xpath) - The whole number that an XPath expression finds, as a smallint."),
    refused("xpath_string", "xpath_string(xml, xpath) - The text of the first node that an XPath expression finds."),
];

const fn refused(name: &'static str, usage: &'static str) -> Function {
    Function { name, group: Group::Xml, usage, resolve: Resolve::Refused }
}
