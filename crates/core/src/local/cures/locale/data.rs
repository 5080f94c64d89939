//! Locales of the C library. Each is made once and never freed, so whatever points into one stays valid.

use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::{NonNull, null_mut};
use std::sync::{Mutex, PoisonError};

/// The categories, in the C library's order of their names.
const CATEGORIES: [(c_int, &str); if cfg!(target_env = "gnu") { 12 } else { 6 }] = [
    (libc::LC_CTYPE, "LC_CTYPE"),
    (libc::LC_NUMERIC, "LC_NUMERIC"),
    (libc::LC_TIME, "LC_TIME"),
    (libc::LC_COLLATE, "LC_COLLATE"),
    (libc::LC_MONETARY, "LC_MONETARY"),
    (libc::LC_MESSAGES, "LC_MESSAGES"),
    #[cfg(target_env = "gnu")]
    (libc::LC_PAPER, "LC_PAPER"),
    #[cfg(target_env = "gnu")]
    (libc::LC_NAME, "LC_NAME"),
    #[cfg(target_env = "gnu")]
    (libc::LC_ADDRESS, "LC_ADDRESS"),
    #[cfg(target_env = "gnu")]
    (libc::LC_TELEPHONE, "LC_TELEPHONE"),
    #[cfg(target_env = "gnu")]
    (libc::LC_MEASUREMENT, "LC_MEASUREMENT"),
    #[cfg(target_env = "gnu")]
    (libc::LC_IDENTIFICATION, "LC_IDENTIFICATION"),
];

/// All of them, for `newlocale`.
#[cfg(target_env = "gnu")]
const ALL: c_int = libc::LC_ALL_MASK;
#[cfg(not(target_env = "gnu"))]
const ALL: c_int = c_int::MAX;

/// What a number of a locale is where it says nothing.
const UNSET: c_char = -1i8 as c_char;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Locale(NonNull<c_void>);

// SAFETY: nobody changes or frees a locale that was made.
unsafe impl Send for Locale {}

/// Those that were made, by the names of their categories.
static MADE: Mutex<Option<HashMap<Vec<&'static CStr>, Locale>>> = Mutex::new(None);

impl Locale {
    /// A copy of one; `None`: no memory.
    ///
    /// # Safety
    /// `locale` lives, or is that of the process.
    pub(super) unsafe fn of(locale: libc::locale_t) -> Option<Self> {
        // SAFETY: the caller's promise; the copy is new.
        NonNull::new(unsafe { libc::duplocale(locale) }).map(Self::kept)
    }

    /// As this one, but for a category, or all. `None`: there is no such category or no such locale.
    pub(super) fn with(self, category: c_int, name: &CStr) -> Option<Self> {
        let mask = match category {
            libc::LC_ALL => ALL,
            _ => 1 << CATEGORIES.iter().find(|(number, _)| *number == category)?.0,
        };
        // SAFETY: a locale that lives; the copy is taken over, unless that fails.
        unsafe {
            let copy = libc::duplocale(self.raw());
            if copy.is_null() {
                return None;
            }
            let made = NonNull::new(libc::newlocale(mask, name.as_ptr(), copy));
            if made.is_none() {
                libc::freelocale(copy);
            }
            made.map(Self::kept)
        }
    }

    /// The one that is kept of a new one's names.
    fn kept(made: NonNull<c_void>) -> Self {
        let names = CATEGORIES.map(|(category, _)| Self(made).name_of(category));
        let mut all = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let all = all.get_or_insert_default();
        if let Some(kept) = all.get(&names[..]) {
            // SAFETY: made just now, and nobody else's.
            unsafe { libc::freelocale(made.as_ptr()) };
            return *kept;
        }
        all.insert(names.into(), Self(made));
        Self(made)
    }

    pub(super) fn raw(self) -> libc::locale_t {
        self.0.as_ptr()
    }

    /// The name of a category's locale.
    pub(super) fn name_of(self, category: c_int) -> &'static CStr {
        // What glibc calls NL_LOCALE_NAME.
        let item = (category << 16) | 0xffff;
        // SAFETY: the locale lives; a C string in it.
        unsafe { CStr::from_ptr(libc::nl_langinfo_l(item, self.raw())) }
    }

    /// What `setlocale` answers. `None`: there is no such category.
    pub(super) fn description(self, category: c_int) -> Option<CString> {
        if category != libc::LC_ALL {
            let found = CATEGORIES.iter().find(|(number, _)| *number == category)?;
            return Some(self.name_of(found.0).to_owned());
        }
        let name_of = |category: &(c_int, &str)| self.name_of(category.0);
        let first = name_of(&CATEGORIES[0]);
        if CATEGORIES.iter().all(|category| name_of(category) == first) {
            return Some(first.to_owned());
        }
        let each = CATEGORIES.map(|category| {
            let name = name_of(&category).to_string_lossy();
            format!("{}={name}", category.1)
        });
        CString::new(each.join(";")).ok()
    }
}

/// What the C library's `localeconv` says, of the calling thread's locale, without its one place for that.
pub(super) fn numeric_and_monetary() -> libc::lconv {
    let text = |category: c_int, item: c_int| -> *mut c_char {
        // SAFETY: an item of glibc's: a C string in the thread's locale.
        unsafe { libc::nl_langinfo((category << 16) | item) }
    };
    // How digits are grouped; text that says "not at all" is empty.
    let groups = |category, item| {
        let groups = text(category, item);
        // SAFETY: a C string.
        match [c_char::MAX, UNSET].contains(unsafe { &*groups }) {
            true => c"".as_ptr().cast_mut(),
            false => groups,
        }
    };
    let number = |item| {
        // SAFETY: a C string.
        match unsafe { *text(libc::LC_MONETARY, item) } {
            UNSET => c_char::MAX,
            number => number,
        }
    };
    let money = |item| text(libc::LC_MONETARY, item);
    libc::lconv {
        decimal_point: text(libc::LC_NUMERIC, 0),
        thousands_sep: text(libc::LC_NUMERIC, 1),
        grouping: groups(libc::LC_NUMERIC, 2),
        int_curr_symbol: money(0),
        currency_symbol: money(1),
        mon_decimal_point: money(2),
        mon_thousands_sep: money(3),
        mon_grouping: groups(libc::LC_MONETARY, 4),
        positive_sign: money(5),
        negative_sign: money(6),
        int_frac_digits: number(7),
        frac_digits: number(8),
        p_cs_precedes: number(9),
        p_sep_by_space: number(10),
        n_cs_precedes: number(11),
        n_sep_by_space: number(12),
        p_sign_posn: number(13),
        n_sign_posn: number(14),
        int_p_cs_precedes: number(16),
        int_p_sep_by_space: number(17),
        int_n_cs_precedes: number(18),
        int_n_sep_by_space: number(19),
        int_p_sign_posn: number(20),
        int_n_sign_posn: number(21),
    }
}

/// What `localeconv` says before anybody has asked.
pub(super) const NOTHING: libc::lconv = {
    let none = null_mut();
    libc::lconv {
        decimal_point: none,
        thousands_sep: none,
        grouping: none,
        int_curr_symbol: none,
        currency_symbol: none,
        mon_decimal_point: none,
        mon_thousands_sep: none,
        mon_grouping: none,
        positive_sign: none,
        negative_sign: none,
        int_frac_digits: 0,
        frac_digits: 0,
        p_cs_precedes: 0,
        p_sep_by_space: 0,
        n_cs_precedes: 0,
        n_sep_by_space: 0,
        p_sign_posn: 0,
        n_sign_posn: 0,
        int_p_cs_precedes: 0,
        int_p_sep_by_space: 0,
        int_n_cs_precedes: 0,
        int_n_sep_by_space: 0,
        int_p_sign_posn: 0,
        int_n_sign_posn: 0,
    }
};

#[cfg(test)]
mod tests {
    use super::{Locale, numeric_and_monetary};
    use crate::local::thread::calling_thread::LC_GLOBAL_LOCALE;

    #[test]
    fn a_locale_is_kept_once_and_described_as_the_c_library_does() {
        // SAFETY: the process's.
        let c = unsafe { Locale::of(LC_GLOBAL_LOCALE) }.unwrap();
        assert_eq!(c.description(libc::LC_ALL).as_deref(), Some(c"C"));
        assert_eq!(c.description(99), None);
        assert!(c.with(libc::LC_ALL, c"no such locale").is_none());
        assert!(c.with(99, c"C").is_none());
        assert!(c.with(libc::LC_NUMERIC, c"C") == Some(c));
        let mixed = c.with(libc::LC_CTYPE, c"C.UTF-8").unwrap();
        let description = mixed.description(libc::LC_ALL).unwrap();
        let text = description.to_str().unwrap();
        assert!(text.starts_with("LC_CTYPE=C.UTF-8;LC_NUMERIC=C;"), "{text}");
        assert!(c.with(libc::LC_ALL, &description) == Some(mixed));
        assert!(mixed.with(libc::LC_ALL, c"C") == Some(c));
    }

    #[test]
    fn numbers_are_as_the_c_library_says() {
        // SAFETY: no other test calls localeconv; C strings.
        unsafe {
            let (ours, its) = (numeric_and_monetary(), *libc::localeconv());
            let text = |text| std::ffi::CStr::from_ptr(text);
            for (ours, its) in [
                (ours.decimal_point, its.decimal_point),
                (ours.thousands_sep, its.thousands_sep),
                (ours.grouping, its.grouping),
                (ours.mon_grouping, its.mon_grouping),
                (ours.currency_symbol, its.currency_symbol),
                (ours.negative_sign, its.negative_sign),
            ] {
                assert_eq!(text(ours), text(its));
            }
            assert_eq!(ours.frac_digits, its.frac_digits);
            assert_eq!(ours.int_n_sign_posn, its.int_n_sign_posn);
        }
    }
}
