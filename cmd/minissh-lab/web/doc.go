// Package web is the lab's page: the four lanes (send calls, segments, receive
// buffer, recv returns) of a recorded run, in a browser on this machine.
//
//	lab.go       Lab: listens on loopback and serves until its context ends
//	guard.go     who may ask: Host, Origin, Sec-Fetch-Site, the token
//	api.go       POST api/run, POST api/live: nothing else runs anything; GET api/start,
//	             GET api/recorded
//	export.go    POST api/export: a run that the page sends back, as a file
//	replay.go    Replay: a run as a page in one file that asks for nothing
//	preset.go    the settings that lessons link to, and some about time; how a link is written
//	question.go  what each lesson asks before its run, with an answer to each wrong belief
//	static/      the page: plain HTML, CSS and JavaScript, embedded as they are
//	record/      runs a setting on real sockets and records it
//	listing/     the Python of both ends of a run
//	live/        the same for a command over minissh's own protocol
//	taped/       a recorded run of a learner's own programs, as the page draws it
//
// The token is made at each start and comes after the # of the first URL, which no
// browser sends anywhere; the page keeps it for its own origin and shows it in a
// header, which no other page can add without being asked first. The page itself is
// not secret: a link from a teacher names a setting and no token, and opens on the
// student's own lab. The server keeps nothing of a run: each is its answer alone.
package web
