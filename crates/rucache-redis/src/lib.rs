//! Redis adapter of rucache: standalone, Sentinel and Cluster.
