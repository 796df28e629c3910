"""Keeps the emulated AWS on disk so that a killed process loses at most the last second.

Items of tables and events of executions are appended to journals as they are written; the rest
is one snapshot file, replaced atomically within a second of a change. A torn last line, the
trace of a kill in the middle of a write, is set aside. A write for which the disk has no room
changes nothing.
"""
