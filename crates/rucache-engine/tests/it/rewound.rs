//! rewound.
