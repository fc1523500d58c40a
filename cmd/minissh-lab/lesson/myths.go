package lesson

import (
	"fmt"
	"strconv"
	"time"
)

// Myth is something that people believe, and the run that shows the truth.
type Myth struct {
	Name     string // as in `lesson myths NAME`
	Believed Text
	// Run measures. It returns whether what was measured contradicts the belief.
	Run  func(*Stage) (refuted bool, err error)
	Seen string // the lesson that treats it
}

// Myths lists the beliefs of the course's readers.
func Myths() []Myth {
	return []Myth{
		{"nagle", t("粘包是 Nagle 干的", "packets stick; Nagle did it"), mythNagle, "13a"},
		{"nodelay", t("TCP_NODELAY 就好了", "TCP_NODELAY fixes it"), mythNoDelay, "13a"},
		{"sleep", t("两次 send 之间 sleep 就好了",
			"sleeping between sends fixes it"), mythSleep, "13a"},
		{"first-two", t("Nagle 合并头两个", "Nagle joins the first two"), mythFirstTwo, "13b"},
		{"free", t("报头分几次写都一样快", "framing is free, however it is "+
			"written"), mythFree, "14b"},
		{"udp", t("UDP 没有这些麻烦", "UDP has no trouble"), mythUDP, "20"},
		{"luck", t("我这里没问题", "it works on my machine"), mythLuck, "13a"},
	}
}

// The marks between two parts of a line.
var (
	colon     = t("：", ": ")
	semicolon = t("；", "; ")
)

// runsOfMyth is how often the forced measurements are repeated.
const runsOfMyth = 50

// count repeats a measurement and counts segments and reads.
func (s *Stage) count(runs int, measure func() (twoSends, error)) (together int,
	segments map[string]int, err error) {
	segments = map[string]int{}
	for range runs {
		m, err := measure()
		if err != nil {
			return 0, nil, err
		}
		if m.together() {
			together++
		}
		segments[m.segments]++
	}
	return together, segments, nil
}

// segmentText says how many segments there were in how many runs.
func segmentText(segments map[string]int, runs int) Text {
	if segments[""] > 0 {
		return t("段数未知（不是 Linux）", "segments unknown (not Linux)")
	}
	return f("%d/%d 次是 2 个段", "2 segments in %d of %d", segments["2"], runs)
}

func mythNagle(s *Stage) (bool, error) {
	refuted := true
	for _, x := range []struct {
		name  Text
		nagle bool
	}{{t("Nagle 开", "Nagle on"), true}, {t("Nagle 关", "Nagle off"), false}} {
		together, seg, err := s.count(runsOfMyth, func() (twoSends, error) {
			return s.late(x.nagle, 0)
		})
		if err != nil {
			return false, err
		}
		s.Say(x.name.plus("", colon).plus("", segmentText(seg, runsOfMyth)).plus("",
			semicolon).plus("",
			f("等都到了再读，%d/%d 次粘在一起", "read late, stuck in %d of %d",
				together, runsOfMyth)))
		refuted = refuted && together == runsOfMyth &&
			(seg["2"] == runsOfMyth || seg[""] == runsOfMyth)
	}
	return refuted, nil
}

func mythNoDelay(s *Stage) (bool, error) {
	together, seg, err := s.count(runsOfMyth, func() (twoSends, error) { return s.late(false, 0) })
	s.Say(f("TCP_NODELAY，接收方忙：%d/%d 次粘在一起",
		"TCP_NODELAY, receiver busy: stuck in %d of %d", together, runsOfMyth).plus("",
		semicolon).plus("",
		segmentText(seg, runsOfMyth)))
	return together == runsOfMyth, err
}

func mythSleep(s *Stage) (bool, error) {
	const runs = 10
	together, seg, err := s.count(runs, func() (twoSends, error) {
		return s.late(false, 10*time.Millisecond)
	})
	s.Say(f("两次 send 隔 10 ms，接收方忙：%d/%d 次粘在一起",
		"10 ms between the sends, receiver busy: stuck in %d of %d", together, runs).plus("",
		semicolon).plus("",
		segmentText(seg, runs)))
	return together == runs, err
}

func mythFirstTwo(s *Stage) (bool, error) {
	with, err := s.ten(true)
	if err != nil {
		return false, err
	}
	without, err := s.ten(false)
	if err != nil {
		return false, err
	}
	row := func(name string, m tenSends) []string {
		seg := m.segments
		if seg == "" {
			seg = "?"
		}
		var sizes string
		for i, b := range m.recvs {
			if i > 0 {
				sizes += " + "
			}
			sizes += strconv.Itoa(len(b))
		}
		return []string{name, seg, sizes}
	}
	s.Table([]string{s.pick(t("10 次 send，每次 5 字节", "ten sends of 5 bytes")),
		s.pick(t("段", "segments")), "recv"}, row("Nagle", with), row("TCP_NODELAY", without))
	first := len(with.recvs) > 0 && len(with.recvs[0]) == 5
	return first && len(without.recvs) == 1, nil
}

func mythFree(s *Stage) (bool, error) {
	const trips = 9
	type way struct {
		name          Text
		nagle, joined bool
	}
	var times []time.Duration
	for _, w := range []way{
		{t("分两次写小数据，Nagle 开", "two small writes, Nagle on"), true, false},
		{t("分两次写小数据，TCP_NODELAY", "two small writes, TCP_NODELAY"), false, false},
		{t("合成一次写，Nagle 开", "joined in one write, Nagle on"), true, true},
	} {
		d, err := s.roundTrips(w.nagle, w.joined, trips)
		if err != nil {
			return false, err
		}
		times = append(times, d)
		s.Say(
			w.name.plus("", colon).plus("",
				f("一问一答 %s（%d 次的中位数）", "%s a question and answer (median of %d)", ms(d),
					trips)))
	}
	return times[0] > times[2], nil
}

func mythUDP(s *Stage) (bool, error) {
	outcome, err := playUDP(s)
	return outcome == udp.Ask.Right(), err
}

func mythLuck(s *Stage) (bool, error) {
	const runs = 200
	var rates []string
	for range 3 {
		n, err := s.unforced(false, runs)
		if err != nil {
			return false, err
		}
		rates = append(rates, fmt.Sprintf("%d/%d", n, runs))
	}
	s.Say(f("马上读、不等：三轮各粘了 %s、%s、%s，全看运气",
		"read at once, not waiting: stuck in %s, %s, %s, by luck", rates[0], rates[1], rates[2]))
	late, _, err := s.count(runsOfMyth, func() (twoSends, error) { return s.late(false, 0) })
	if err != nil {
		return false, err
	}
	apart, _, err := s.count(runsOfMyth, s.apart)
	if err != nil {
		return false, err
	}
	s.Say(f("不靠运气的办法：等都到了再读，%d/%d 次粘；握手以后再发，%d/%d 次粘。测试就要这样写",
		"forced: read late %d of %d; with a handshake %d of %d. A test never relies on luck", late,
		runsOfMyth, apart, runsOfMyth))
	return late == runsOfMyth && apart == 0, nil
}
