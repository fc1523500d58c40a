/*
The rules of protocol/RESUMING.md, and those of PROTOCOL.md that it rests on, as a model for spin
(https://spinroot.com). Spin tries every order in which the steps below can happen, and stops at
the first one that ends badly. `go test -v ./scripts/model` runs all of it; by hand:

	spin -a resuming.pml && gcc -DSAFETY -DNOREDUCE -o pan pan.c && ./pan

What is in it. A client starts two commands, one on each channel. It sends data to the first, which
exits when it has read all of it; the second sends data and exits. The first reads nothing until the
second was started. A link may be cut at any time, by each end alone: what is then on its way is
lost from any frame on, or from within a frame, and what is still read was late. The client may say
HELLO again at any time, so an older HELLO may arrive after a newer one, or never. The daemon may
give the session up while it has no link, it may be started anew once, or its machine may be set
back to an earlier snapshot. The last link is not cut. Every buffer is small and has an end.

What must never happen, however it goes:

	loss           a frame is missing when the next one of its channel comes, or comes too early
	duplicate      a frame comes twice
	second_start   a command is started twice
	overflow       an end keeps more frames than its buffer has room for, sent or unread
	broken_off     two ends that kept the rules end the session for a broken rule
	wrong_word     the client says that a command was never started, and it was
	deadlock       nothing can happen any more, and an end is not done ("invalid end state")

What is not: time (whatever waits may wait for ever, and nothing has to), TLS and authorization,
PING, OPENED, NOTICE, SIGNAL and EOF. A frame is the unit of all sizes.

A model that cannot fail proves nothing. So each rule can be weakened: -DWEAKEN=NAME puts in its
place what a programmer might have done, and spin must find the property named here broken. Most
need three links; those with `one` need -DONE_LINK: one link that is never cut, and more data.
*/
#define COUNTS_PART     1  /* SE4 loss: a part of a frame counts */
#define COUNTS_FIRST    2  /* SE4 loss: a frame is counted in one step, delivered in the next */
#define DELIVERS_FIRST  3  /* SE4 second_start: it is delivered in one step, counted in the next */
#define NUMBERS_EARLY   4  /* SE4 second_start: it has a number and waits for the link's writer */
#define KEEPS_NOTHING   5  /* RE2 loss: a frame that was written is not kept */
#define KEEPS_TOO_MUCH  6  /* RE2 overflow: a frame is sent although the buffer is full */
#define ACKS_LATE       7  /* RE1 deadlock: ACK waits for more frames than the peer may keep */
#define ACKS_WITH_DATA  8  /* RE1 deadlock: ACK waits for a session frame to go with */
#define ACKS_CONSUMED   9  /* RE1 deadlock one: ACK means that the data was consumed */
#define READING_WAITS  10  /* SE7 deadlock one: nothing is read while an ACK waits to be written */
#define HELLO_FIRST    11  /* RE3 duplicate: HELLO is made up before the old link is left */
#define COUNT_FIRST    12  /* RE3 second_start: WELCOME is made up before the old link is left */
#define STALE_EPOCH    13  /* RE3 broken_off: a HELLO with an older epoch is accepted */
#define NO_CHECK       14  /* RE3 loss: acknowledged <= received <= sent is not checked */
#define RESENDS_ALL    15  /* RE3 second_start: all that is kept is sent again */
#define NEW_FIRST      16  /* RE3 loss: new frames may overtake those that are sent again */
#define NO_WAITING     17  /* SE3 loss: session frames follow every HELLO at once */
#define CUT_IS_EOF     18  /* SE5 loss: a lost link counts as the end of the input */
#define NO_MEMORY      19  /* RE4 second_start: the daemon forgets what expired or ended at once */
#define CREATES_AGAIN  20  /* RE5 second_start: `create` is true also after a WELCOME */
#define NO_UPTIME      21  /* RE5 second_start: the daemon's uptime is not looked at */
#define NEVER_STARTED  22  /* RE8 wrong_word: silence is taken for "never started" */
#define INCREASES      23  /* CH5 deadlock one: WINDOW is an increase, not a total */
#define GRANTS_LOST    24  /* FR5 deadlock: WINDOW is a link frame: neither counted nor kept */
#define NO_CREDIT      25  /* CH5 overflow: data is sent without credit */
#define EXIT_OVERTAKES 26  /* CH4 loss: EXIT does not wait for the data ahead of it */
#ifndef WEAKEN
#define WEAKEN 0
#endif
#define weak(rule) (WEAKEN == rule)
#ifdef ONE_LINK
#define LINKS  1  /* connections there will ever be, at most 3 */
#define ROOM   1  /* frames on their way, in each direction of a link */
#define UNITS  4  /* data frames on each channel */
#define CREDIT 2  /* those that may be sent and not yet consumed */
#else
#define LINKS  3
#define ROOM   2
#define UNITS  2
#define CREDIT 1
#endif
#define KEEP   2  /* frames that an end keeps until they are acknowledged: its `resend` */

/* The two ends. Channel 0 carries data from the client alone, channel 1 from the daemon alone: so
the number of a channel is also the number of the end that sends data on it. */
#define C 0
#define D 1
#define other(e) (1 - e)

bit loss, duplicate, second_start, overflow, broken_off, wrong_word;
inline violated(property) { property = 1; assert(!property) }

/* ---- Links ---- */

mtype = { HELLO, WELCOME, REFUSED, ACK, GOODBYE, OPEN, DATA, WINDOW, EXIT, CLOSE };

/* Link l, from 1 on, carries frames up to the daemon and down to the client. A frame has a kind and
two fields: HELLO (create, received); WELCOME (whether the daemon was started anew since the
client's first HELLO, as `uptime_ms` tells; received); ACK (0, received); session frames (channel,
number or limit). An epoch is the number of its link. */
chan wire[2 * LINKS] = [ROOM] of { mtype, byte, byte };
#define up(l)    wire[2 * (l) - 2]
#define down(l)  wire[2 * (l) - 1]

byte link[2];     /* that each end uses, 0: none */
bit closed;       /* the daemon is done with the client's link: what the client writes is lost */
bit flowing[2];   /* session frames may be sent */
#define to(e)       wire[2 * link[e] - 2 + e]
#define from(e)     wire[2 * link[e] - 1 - e]
#define arrives(e)  (e == C -> !closed : link[D] == link[C])
#define writable(e) (link[e] && (!arrives(e) || len(to(e)) < ROOM))

hidden mtype kind;        /* of the frame just read; these five are scratch space within a step */
hidden byte a, b, n, count;

inline put(e, k, x, y) { if :: arrives(e) -> to(e)!k, x, y :: else fi }
inline clear(q) { do :: len(q) -> q?kind, a, b :: else -> break od }

/* ---- Counting, keeping, acknowledging (SE4, RE1, RE2) ---- */

byte sent[2], received[2];
byte told[2];     /* of received, what the peer was told last */
byte again[2];    /* how many of the kept frames are still to be sent again */
chan kept[2] = [KEEP + 1] of { byte, mtype, byte, byte };    /* number and frame */
chan queue[2] = [1] of { mtype, byte, byte };    /* numbered, not written: weak(NUMBERS_EARLY) */
chan hand[2] = [1] of { mtype, byte, byte };     /* counted, not delivered: weak(COUNTS_FIRST) */

#define acked(e) (sent[e] - len(kept[e]))
#define may_number(e) (flowing[e] && (!again[e] || weak(NEW_FIRST)) && \
	(len(kept[e]) < KEEP || weak(KEEPS_TOO_MUCH)) && \
	(weak(NUMBERS_EARLY) -> len(queue[e]) == 0 : writable(e)))
#define ack_due(e) (received[e] != told[e])
#define may_ack(e) (ack_due(e) && writable(e) && !weak(ACKS_WITH_DATA) && \
	(!weak(ACKS_LATE) || received[e] - told[e] > KEEP) && \
	(!weak(ACKS_CONSUMED) || eaten[other(e)] == got[other(e)]))
#define may_read(e) (link[e] && len(from(e)) && !len(hand[e]) && \
	(!weak(READING_WAITS) || !ack_due(e)))

inline acknowledge(e) { told[e] = received[e]; put(e, ACK, 0, told[e]) }
/* One step: a frame gets its number, is kept and goes to the writer. */
inline number(e, k, x, y) {
	sent[e]++;
	kept[e]!sent[e], k, x, y;
	if :: len(kept[e]) > KEEP -> violated(overflow) :: else fi;
	if :: weak(NUMBERS_EARLY) -> queue[e]!k, x, y :: else -> put(e, k, x, y) fi;
	if :: weak(ACKS_WITH_DATA) && ack_due(e) && writable(e) -> acknowledge(e) :: else fi
}
inline send_again(e) {
	kept[e]?? <eval(sent[e] - again[e] + 1), kind, a, b>;    /* a copy of it */
	put(e, kind, a, b);
	again[e]--
}
#define fits(e) ((acked(e) <= count && count <= sent[e]) || weak(NO_CHECK))
inline forget(e) {    /* the peer has `count` frames */
	do :: len(kept[e]) && acked(e) < count -> kept[e]?n, kind, a, b :: else -> break od;
	if :: again[e] > len(kept[e]) -> again[e] = len(kept[e]) :: else fi
}

/* ---- Channels and commands (CH4, CH5) ---- */

/* How far a channel is, as an end sees it: 1 after OPEN, 2 EXIT, 3 the daemon's CLOSE, 4 the
client's. */
byte stage[4];
#define at(e, c) stage[2 * (e) + c]
byte gave[2], got[2], eaten[2];    /* data frames of a channel: sent, arrived, consumed */
byte limit[2] = CREDIT;            /* how many may ever be sent: the sender knows */
byte granted[2] = CREDIT;          /* the same: the receiver said */
byte starts[2];                    /* how often the command was started, whoever still knows */
bit eof;                           /* the daemon made up an end of input: weak(CUT_IS_EOF) */

inline send(e, k, c, x) { at(e, c)++; number(e, k, c, x) }
/* A frame that takes channel a on from a stage must find it there. */
inline advance(e, stage_before) {
	if
	:: at(e, a) < stage_before -> violated(loss)
	:: at(e, a) > stage_before -> violated(duplicate)
	:: else -> at(e, a)++
	fi
}
inline deliver(e) {
	if
	:: kind == OPEN ->
		starts[a]++;
		if
		:: starts[a] > 1 -> violated(second_start)
		:: a == 1 && !at(D, 0) -> violated(loss)
		:: else -> advance(D, 0)
		fi
	:: kind == DATA ->
		if
		:: b > got[a] + 1 || !at(e, a) -> violated(loss)
		:: b <= got[a] -> violated(duplicate)
		:: got[a] - eaten[a] == CREDIT -> violated(overflow)
		:: else -> got[a]++
		fi
	:: kind == WINDOW -> limit[a] = (weak(INCREASES) -> limit[a] + 1 : b)
	:: kind == EXIT ->
		if :: b < UNITS || (a == 1 && got[1] < UNITS) -> violated(loss) :: else -> advance(C, 1) fi
	:: kind == CLOSE && e == C -> advance(C, 2)
	:: kind == CLOSE && e == D -> advance(D, 3)
	fi
}
#define is_session (kind == OPEN || kind == DATA || kind == WINDOW || kind == EXIT || kind == CLOSE)
inline take(e) {    /* one step: a session frame is counted and delivered */
	if
	:: weak(GRANTS_LOST) && kind == WINDOW -> deliver(e)
	:: weak(COUNTS_FIRST) -> received[e]++; hand[e]!kind, a, b
	:: else -> received[e]++; deliver(e)
	fi
}

/* ---- Leaving a link (RE3, SE5) ---- */

inline cut(e) {
	if
	:: link[e] ->
		if
		:: (weak(COUNTS_PART) || weak(DELIVERS_FIRST)) && len(from(e)) ->
			from(e)?kind, a, b;
			if
			:: is_session && weak(COUNTS_PART) -> received[e]++
			:: is_session && weak(DELIVERS_FIRST) -> deliver(e)
			:: else
			fi
		:: else
		fi;
		clear(from(e));    /* what it has not read, parts of a frame too, is lost */
		clear(hand[e]);
		if :: e == D && link[D] == link[C] -> closed = 1 :: else fi;
		link[e] = 0; flowing[e] = 0; again[e] = 0
	:: else
	fi
}
/* The end leaves its link, then takes the count that HELLO or WELCOME tells. */
inline leave(e, count_first) {
	told[e] = received[e];
	if
	:: weak(count_first) && link[e] && len(from(e)) ->
		from(e)?kind, a, b;
		if :: is_session -> take(e) :: else fi
	:: else
	fi;
	cut(e);
	if :: weak(count_first) :: else -> told[e] = received[e] fi
}
inline resume(e) {
	if :: weak(RESENDS_ALL) :: else -> forget(e) fi;
	again[e] = (weak(KEEPS_NOTHING) -> 0 : len(kept[e]));
	flowing[e] = 1
}

/* ---- The client ---- */

byte attempts;
bit welcomed, finished;
mtype = { nothing, restart, setback };
mtype fault = nothing;    /* what has befallen the daemon */
bit expired;              /* the daemon has given the session up */

inline dial() {
	leave(C, HELLO_FIRST);
	attempts++;
	link[C] = attempts; closed = 0;
	flowing[C] = (attempts == 1 || weak(NO_WAITING));
	put(C, HELLO, (!welcomed || weak(CREATES_AGAIN)), told[C])
}
/* The end; of a command the client says that it was never started if OPEN was not sent (RE8). */
inline say(c) {
	if
	:: starts[c] && (!at(C, c) || (weak(NEVER_STARTED) && at(C, c) == 1)) -> violated(wrong_word)
	:: else
	fi
}
inline finish() { cut(C); say(0); say(1); finished = 1 }

/* A daemon that began again may have started, and forgotten, what was asked for (RE5). */
#define forgotten (a && !welcomed && sent[C] && !count && !weak(NO_UPTIME))
inline welcome() {
	count = b;
	if
	:: forgotten -> finish()
	:: !forgotten && !fits(C) && fault == setback -> finish()
	:: !forgotten && !fits(C) && fault != setback -> violated(broken_off)
	:: !forgotten && fits(C) ->
		welcomed = 1;
		if :: flowing[C] -> forget(C) :: else -> resume(C) fi
	fi
}
inline read(e) {
	from(e)?kind, a, b;
	if
	:: kind == WELCOME -> welcome()
	:: kind == REFUSED && fault == nothing && !expired -> violated(broken_off)
	:: kind == REFUSED && (fault != nothing || expired) -> finish()
	:: kind == GOODBYE && at(D, 0) + at(D, 1) < 8 -> violated(loss)
	:: kind == GOODBYE && at(D, 0) + at(D, 1) == 8 -> cut(D); bury()
	:: kind == ACK ->
		count = b;
		if :: fits(e) -> forget(e) :: else -> violated(broken_off) fi
	:: is_session -> take(e)
	fi
}

/* ---- The daemon ---- */

mtype = { unknown, alive, over };
mtype session = unknown;
byte epoch;

inline wipe() {
	clear(queue[D]);
	count = sent[D]; forget(D);
	sent[D] = 0; received[D] = 0; told[D] = 0; epoch = 0;
	at(D, 0) = 0; at(D, 1) = 0; eof = 0;
	gave[1] = 0; limit[1] = CREDIT; got[0] = 0; eaten[0] = 0; granted[0] = CREDIT
}
inline bury() { wipe(); session = over }    /* its name is remembered (RE4) */

inline refuse(l) {
	clear(up(l));
	if :: l == link[C] -> closed = 1; down(l)!REFUSED, 0, 0 :: else fi
}
inline greet(l) {    /* RE3, in its order */
	up(l)?kind, a, b;
	if :: weak(NO_MEMORY) && session == over -> session = unknown :: else fi;
	if
	:: session == over || (session == unknown && !a) -> refuse(l)
	:: session == alive && l <= epoch && !weak(STALE_EPOCH) -> refuse(l)
	:: else ->
		session = alive; epoch = l; n = b;
		leave(D, COUNT_FIRST);
		count = n;
		if
		:: !fits(D) && fault == setback -> bury(); refuse(l)
		:: !fits(D) && fault != setback -> violated(broken_off)
		:: fits(D) -> link[D] = l; resume(D); put(D, WELCOME, (fault == restart), told[D])
		fi
	fi
}
/* The daemon's process or machine begins again; all its connections are gone. A snapshot that it is
set back to was taken when the session was new, so what happened since has not. */
inline befall(what) {
	fault = what;
	cut(D);
	wipe();
	n = 1;
	do :: n <= LINKS -> clear(up(n)); n++ :: else -> break od;
	closed = 1;
	if :: what == restart -> session = unknown :: else -> epoch = 1; starts[0] = 0; starts[1] = 0 fi
}
#define asked(l) (l <= LINKS && up(l)?[HELLO, _, _])
#define more     (attempts < LINKS && !finished)    /* another link may follow */

/* ---- The steps. Each is taken whole; any that can be taken may come next. ---- */

#define me  _pid
#define you (1 - _pid)
active [2] proctype end_of_link() {    /* what both ends do alike: C has _pid 0, D 1 */
end:	do
	:: d_step { may_read(me) -> read(me) }
	:: d_step { may_ack(me) -> acknowledge(me) }
	:: d_step { again[me] && writable(me) -> send_again(me) }
	:: d_step { may_number(me) && at(me, me) == 1 && gave[me] < UNITS &&
			(gave[me] < limit[me] || weak(NO_CREDIT)) ->
		gave[me]++; number(me, DATA, me, gave[me]) }
	:: d_step { eaten[you] < got[you] && (me == C || at(D, 1)) -> eaten[you]++ }
	:: d_step { at(me, you) == 1 && granted[you] < UNITS && eaten[you] + CREDIT > granted[you] &&
			(weak(GRANTS_LOST) -> flowing[me] && writable(me) : may_number(me)) ->
		granted[you] = eaten[you] + CREDIT;
		if
		:: weak(GRANTS_LOST) -> put(me, WINDOW, you, granted[you])
		:: else -> number(me, WINDOW, you, granted[you])
		fi }
	:: d_step { len(hand[me]) -> hand[me]?kind, a, b; deliver(me) }
	:: d_step { len(queue[me]) && flowing[me] && !again[me] && writable(me) ->
		queue[me]?kind, a, b; put(me, kind, a, b) }
	od
}
active proctype client() {
	do
	:: d_step { more -> dial() }
	:: d_step { may_number(C) && at(C, 0) == 0 -> send(C, OPEN, 0, 0) }
	:: d_step { may_number(C) && at(C, 0) && at(C, 1) == 0 -> send(C, OPEN, 1, 0) }
	:: d_step { may_number(C) && at(C, 0) == 3 -> send(C, CLOSE, 0, 0) }
	:: d_step { may_number(C) && at(C, 1) == 3 -> send(C, CLOSE, 1, 0) }
	:: d_step { flowing[C] && !again[C] && writable(C) && at(C, 0) + at(C, 1) == 8 &&
			!len(queue[C]) -> put(C, GOODBYE, 0, 0); finish() }
	:: finished -> break
	od
}
active proctype daemon() {
	do
	:: d_step { asked(1) -> greet(1) }
	:: d_step { asked(2) -> greet(2) }
	:: d_step { asked(3) -> greet(3) }
	:: d_step { may_number(D) && at(D, 0) == 1 && (eaten[0] == UNITS || eof) ->
		send(D, EXIT, 0, eaten[0]) }
	:: d_step { may_number(D) && at(D, 1) == 1 && (gave[1] == UNITS || weak(EXIT_OVERTAKES)) ->
		send(D, EXIT, 1, UNITS) }
	:: d_step { may_number(D) && at(D, 0) == 2 -> send(D, CLOSE, 0, 0) }
	:: d_step { may_number(D) && at(D, 1) == 2 -> send(D, CLOSE, 1, 0) }
	:: d_step { link[D] && (link[D] < LINKS || finished) -> cut(D); eof = weak(CUT_IS_EOF) }
	:: d_step { session == alive && !link[D] -> expired = 1; bury() }
	:: d_step { fault == nothing && session != unknown && more -> befall(restart) }
	:: d_step { fault == nothing && session == alive && more -> befall(setback) }
	:: finished && session != alive && !asked(1) && !asked(2) && !asked(3) -> break
	od
}
