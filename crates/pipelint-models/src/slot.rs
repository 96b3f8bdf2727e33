//! Where a resource comes out of a call.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use smol_str::SmolStr;

/// Where a resource comes out of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Slot {
    /// The call's result.
    Result,
    /// What the pointer in this argument points to.
    Out(usize),
    /// A field of the structure that this argument points to (`CreateProcess`'s `hProcess`).
    Field(usize, SmolStr),
    /// An element of the array that this argument points to (`pipe`).
    Element(usize, u32),
}

impl Slot {
    /// The argument through which the resource comes out; none for the result.
    pub fn argument(&self) -> Option<usize> {
        match self {
            Self::Result => None,
            Self::Out(arg) | Self::Field(arg, _) | Self::Element(arg, _) => Some(*arg),
        }
    }
}

/// The form with an out-parameter: `{ out = 9, field = "hProcess" }`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Out {
    /// The pointer argument, counted from 0.
    out: usize,
    /// This field of the structure that it points to.
    #[serde(default)]
    field: Option<String>,
    /// This element of the array that it points to.
    #[serde(default)]
    element: Option<u32>,
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = Slot;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"result\" or a table like { out = 3 }")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Slot, E> {
                match word {
                    "result" => Ok(Slot::Result),
                    other => Err(E::invalid_value(Unexpected::Str(other), &self)),
                }
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Slot, M::Error> {
                let out = Out::deserialize(MapAccessDeserializer::new(map))?;
                match (out.field, out.element) {
                    (None, None) => Ok(Slot::Out(out.out)),
                    (Some(field), None) => Ok(Slot::Field(out.out, field.into())),
                    (None, Some(element)) => Ok(Slot::Element(out.out, element)),
                    (Some(_), Some(_)) => Err(M::Error::custom(
                        "`at` has both `field` and `element`, of which one at most can be",
                    )),
                }
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for Slot {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Slot".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let out = generator.subschema_for::<Out>();
        json_schema!({
            "description": "Where a resource comes out of a call.",
            "anyOf": [{ "description": "The call's result.", "const": "result" }, out],
        })
    }
}
