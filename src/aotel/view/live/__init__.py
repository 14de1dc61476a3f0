"""The rich form: lines that scroll as a log does, and a panel that stays below them."""
