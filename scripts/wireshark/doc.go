// Package wireshark is a folder of dissectors for Wireshark, in Lua, with their tests.
// cmd/minissh/README.md shows how they are used.
//
//	minissh.lua         the protocol: fields, frames, reassembly; loads the others
//	minissh_link.lua    what the frames of a connection mean together
//	minissh_fields.lua  what fields of JSON messages may be
//	minissh_records.lua records of the service `files`
//	minissh_json.lua    JSON, and text fit for a terminal
//	dialects.lua        two of the course's dialects
package wireshark
