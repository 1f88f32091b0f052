//! Memcached adapter of rucache, over the meta protocol.
