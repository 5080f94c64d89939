//! How long a side looks for what it waits for before it sleeps. Sleeping and waking up takes several microseconds, a look
//! none; but where no core is free, who looks keeps the other side from running. So who has looked in vain does not look
//! the next time, nor the next three times, and so on; who was lucky looks each time.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How long it looks.
const LONGEST: Duration = Duration::from_micros(50);
/// How many looks go without asking for the time.
const LOOKS: u32 = 50;
/// For so many times at most it does not look.
const MOST: u32 = 31;

/// What one side has learned.
pub(super) struct Patience {
    /// It does not look for so many times after the next failure.
    pause: u32,
    /// It does not look for so many times now.
    left: u32,
}

/// A wait, as long as it only looks.
pub(super) struct Looking {
    does: bool,
    looks: u32,
    /// Known from the first time on that the time is asked for.
    end: Option<Instant>,
}

/// Whether two threads can run at once. The first call takes long.
pub(in crate::process) fn has_cores() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1))
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { pause: 0, left: 0 }
    }

    pub(super) fn begin(&mut self) -> Looking {
        let does = self.left == 0 && has_cores();
        self.left = self.left.saturating_sub(1);
        Looking {
            does,
            looks: 0,
            end: None,
        }
    }

    /// Whether it has come while it looked.
    pub(super) fn end(&mut self, looking: &Looking, has_come: bool) {
        match (looking.does, has_come) {
            (false, _) => {}
            (true, true) => self.pause = 0,
            (true, false) => {
                self.pause = (self.pause * 2 + 1).min(MOST);
                self.left = self.pause;
            }
        }
    }
}

impl Looking {
    pub(super) fn goes_on(&mut self) -> bool {
        if !self.does {
            return false;
        }
        self.looks += 1;
        std::hint::spin_loop();
        if self.looks % LOOKS != 0 {
            return true;
        }
        let now = Instant::now();
        now < *self.end.get_or_insert(now + LONGEST)
    }
}
