//! Values under the sensors' keys: `{"sensor_1": …, "sensor_4": …}`. Other keys are ignored, duplicate ones
//! refused.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sensor::{PerSensor, SensorId};

const KEYS: [&str; 6] = [
    "sensor_1", "sensor_2", "sensor_3", "sensor_4", "sensor_5", "sensor_6",
];

impl<T: Serialize + Copy> Serialize for PerSensor<Option<T>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(sensor, value)| (KEYS[sensor.index()], value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PerSensor<Option<T>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeyedVisitor(PhantomData))
    }
}

struct KeyedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for KeyedVisitor<T> {
    type Value = PerSensor<Option<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = PerSensor::from_fn(|_| None);
        while let Some(Key(sensor)) = map.next_key()? {
            let Some(sensor) = sensor else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if values[sensor].replace(map.next_value()?).is_some() {
                return Err(A::Error::custom("a key twice"));
            }
        }
        Ok(values)
    }
}

/// A key: the sensor that it names, if it names one.
struct Key(Option<SensorId>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        let mut sensors = SensorId::ALL.into_iter();
        Ok(Key(sensors.find(|sensor| KEYS[sensor.index()] == key)))
    }
}
