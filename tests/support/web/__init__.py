"""What tests of several folders and the benchmarks need."""
