//! Real servers, a fault proxy and scripted fakes for the tests of rucache's adapters.
