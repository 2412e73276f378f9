"""What staff see with millions of lines behind it: how fast, by how many queries, and whether it grows with history."""
