//! What stands under an entry's name and under its lease's.

use bytes::Bytes;

use crate::client::Item;

/// Client flags of an entry.
pub(crate) const ENTRY: u32 = 20_993;
/// Client flags of a back-off note in the place of a missing entry.
pub(crate) const NOTE: u32 = 20_994;
/// Client flags of a lease that was taken by claiming a void slot.
pub(crate) const CLAIM: u32 = 20_995;

/// What stands under an entry's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Free,
    /// An entry, stale or not.
    Entry { cas: u64 },
    /// The lease of a missing entry.
    Lease { cas: u64, won: bool },
    /// A back-off note.
    BackingOff { cas: u64, note: Bytes },
    /// A lease or a note that an expire made void: a place to claim.
    Void { cas: u64 },
    /// Not ours: a place to claim too, though a read says what it met.
    Foreign { cas: u64 },
}

impl Standing {
    pub(crate) fn of(item: Option<&Item>) -> Self {
        let Some(item) = item else { return Self::Free };
        let cas = item.cas;
        match item.flags {
            ENTRY => Self::Entry { cas },
            0 | NOTE | CLAIM if item.stale && (item.flags != 0 || item.value.is_empty()) => {
                Self::Void { cas }
            }
            NOTE => Self::BackingOff { cas, note: item.value.clone() },
            CLAIM => Self::Lease { cas, won: false },
            0 if item.leased && item.value.is_empty() => Self::Lease { cas, won: item.won },
            _ => Self::Foreign { cas },
        }
    }
}

/// Whether an item is an entry, stale or not.
pub(crate) fn is_entry(item: Option<&Item>) -> bool {
    matches!(Standing::of(item), Standing::Entry { .. })
}

/// What stands under the name of a present entry's lease: it names the state of the entry that it was
/// given for, so that a change of the entry voids it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeaseItem {
    /// `L` and the entry's state.
    Lease { entry: u64 },
    /// `N`, the entry's state, `;` and the note.
    Note { entry: u64, note: Bytes },
}

impl LeaseItem {
    /// The item as bytes.
    pub(crate) fn encode(&self) -> Bytes {
        match self {
            Self::Lease { entry } => format!("L{entry}").into(),
            Self::Note { entry, note } => {
                let mut bytes = format!("N{entry};").into_bytes();
                bytes.extend_from_slice(note);
                bytes.into()
            }
        }
    }

    /// The item that `bytes` are; `None` when they were not written here.
    pub(crate) fn decode(bytes: &Bytes) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let entry = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
        match (kind, rest.get(digits)) {
            (b'L', None) => Some(Self::Lease { entry }),
            (b'N', Some(b';')) => Some(Self::Note { entry, note: bytes.slice(digits + 2..) }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(flags: u32, value: &'static str) -> Item {
        let value = Bytes::from_static(value.as_bytes());
        Item { value, flags, cas: 7, left: None, stale: false, leased: false, won: false }
    }

    #[track_caller]
    fn check(item: Item, expected: Standing) {
        assert_eq!(Standing::of(Some(&item)), expected, "{item:?}");
    }

    #[test]
    fn flags_say_what_stands_there() {
        assert_eq!(Standing::of(None), Standing::Free);
        check(item(ENTRY, ""), Standing::Entry { cas: 7 });
        check(Item { stale: true, won: true, ..item(ENTRY, "a") }, Standing::Entry { cas: 7 });
        let placeholder = Item { leased: true, ..item(0, "") };
        check(placeholder.clone(), Standing::Lease { cas: 7, won: false });
        let won = Item { won: true, ..placeholder.clone() };
        check(won, Standing::Lease { cas: 7, won: true });
        check(item(CLAIM, ""), Standing::Lease { cas: 7, won: false });
        check(item(NOTE, "quota"), Standing::BackingOff { cas: 7, note: "quota".into() });
        for void in [placeholder, item(CLAIM, ""), item(NOTE, "quota")] {
            check(Item { stale: true, ..void }, Standing::Void { cas: 7 });
        }
        for foreign in [item(0, "5"), item(0, ""), item(1, "")] {
            check(foreign, Standing::Foreign { cas: 7 });
        }
        for foreign in [item(0, "5"), item(1, "")] {
            check(Item { stale: true, ..foreign }, Standing::Foreign { cas: 7 });
        }
    }

    #[test]
    fn lease_items_keep_what_they_say() {
        let note = Bytes::from_static(b"\0;7\xff");
        for item in [
            LeaseItem::Lease { entry: u64::MAX },
            LeaseItem::Note { entry: 4, note },
            LeaseItem::Note { entry: 0, note: Bytes::new() },
        ] {
            assert_eq!(LeaseItem::decode(&item.encode()), Some(item));
        }
    }

    #[test]
    fn foreign_bytes_are_no_lease_item() {
        for bytes in ["", "L", "L7x", "N7", "Nx;", "X7", "L99999999999999999999"] {
            assert_eq!(LeaseItem::decode(&Bytes::from_static(bytes.as_bytes())), None, "{bytes}");
        }
    }
}
