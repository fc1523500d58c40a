// Package class is a teacher's board: students' checks report name, lesson and
// result to it, one line of JSON each, and the terminal shows them as a table.
//
//	student -> board   {"class": 1, "name": "小明", "lesson": "16", "side": "client",
//	                    "passed": 7, "failed": 1, "case": "chaos"}
//	board -> student   ok
//
// page.go shows the board to a browser, and page.html and page.css are what it looks like.
//
// It keeps nothing else, and nothing on disk. Whoever reaches the port can report
// under any name: it is a classroom's board, not an examination. Everything is
// bounded (names, students, connections, time), names are made harmless before they
// are kept, and a line that is no such JSON (a web page's POST, for one) ends the
// connection.
package class
