"""The values that every dialect is translated through."""
