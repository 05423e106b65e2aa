//! Values under the sensors' keys, and JSON that must be an object. Beside [`super::body`], no other file spells a key.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sensor::SensorId;

/// A key that may be absent, `null`, or have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Field<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Field<T> {
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

/// The values that stand under the sensors' keys. Other keys are ignored, duplicate ones refused.
#[expect(clippy::struct_field_names, reason = "the keys as they stand on the wire")]
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Sensors<T> {
    #[serde(default = "absent")]
    sensor_1: Field<T>,
    #[serde(default = "absent")]
    sensor_2: Field<T>,
    #[serde(default = "absent")]
    sensor_3: Field<T>,
    #[serde(default = "absent")]
    sensor_4: Field<T>,
    #[serde(default = "absent")]
    sensor_5: Field<T>,
    #[serde(default = "absent")]
    sensor_6: Field<T>,
}

const fn absent<T>() -> Field<T> {
    Field::Absent
}

const KEYS: [&str; 6] = [
    "sensor_1", "sensor_2", "sensor_3", "sensor_4", "sensor_5", "sensor_6",
];

impl<T: Copy> Sensors<T> {
    pub(super) fn from_fn(value: impl Fn(SensorId) -> Field<T>) -> Self {
        let [sensor_1, sensor_2, sensor_3, sensor_4, sensor_5, sensor_6] = SensorId::ALL.map(value);
        Self {
            sensor_1,
            sensor_2,
            sensor_3,
            sensor_4,
            sensor_5,
            sensor_6,
        }
    }

    pub(super) fn from_options(value: impl Fn(SensorId) -> Option<T>) -> Self {
        Self::from_fn(|sensor| value(sensor).map_or(Field::Absent, Field::Value))
    }

    pub(super) const fn get(&self, sensor: SensorId) -> Field<T> {
        [
            self.sensor_1,
            self.sensor_2,
            self.sensor_3,
            self.sensor_4,
            self.sensor_5,
            self.sensor_6,
        ][sensor.index()]
    }

    pub(super) fn is_empty(&self) -> bool {
        SensorId::ALL
            .iter()
            .all(|sensor| matches!(self.get(*sensor), Field::Absent))
    }

    pub(super) fn entries<S: SerializeMap>(&self, map: &mut S) -> Result<(), S::Error>
    where
        T: Serialize,
    {
        for sensor in SensorId::ALL {
            match self.get(sensor) {
                Field::Absent => {}
                Field::Null => map.serialize_entry(KEYS[sensor.index()], &())?,
                Field::Value(value) => map.serialize_entry(KEYS[sensor.index()], &value)?,
            }
        }
        Ok(())
    }
}

impl<T: Serialize + Copy> Serialize for Sensors<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.entries(&mut map)?;
        map.end()
    }
}

/// A value that is read from a JSON object alone: serde reads structs from arrays as well.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let object: Option<Object<T>> = Option::deserialize(deserializer)?;
    Ok(object.map(|Object(body)| body))
}
