"""Tables that people make in a spreadsheet, read with every fault named by line and column."""
