//! The numbers in a sequence.

/// Numbers between semicolons, each of which may have parts between colons.
pub(super) struct Parameters(Vec<Vec<Option<u32>>>);

impl Parameters {
    pub(super) fn of(body: &[u8]) -> Self {
        let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse().ok();
        let parts = |parameter: &[u8]| parameter.split(|&byte| byte == b':').map(number).collect();
        Self(body.split(|&byte| byte == b';').map(parts).collect())
    }

    pub(super) fn number(&self, at: usize) -> Option<u32> {
        self.part(at, 0)
    }

    pub(super) fn part(&self, at: usize, part: usize) -> Option<u32> {
        self.0.get(at)?.get(part).copied().flatten()
    }
}
