"""Version 1 of the JSON API: who may call, how answers and errors look."""
