"""The audit log of a pod: lines that are chained, written in one place and read in many."""
