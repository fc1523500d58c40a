package mdns

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// maxRecords of a packet are looked at, and of its questions.
const maxRecords = 256

// same compares names as DNS does.
func same(a, b string) bool { return strings.EqualFold(a, b) }

// Question asks for records. An id distinguishes the answers to those that are sent from a port of
// their own (section 6.7).
func Question(id uint16, asked ...Asked) []byte {
	p := &packet{header: dnsmessage.Header{ID: id}}
	for _, a := range asked {
		name, err := dnsmessage.NewName(a.Name)
		if err != nil {
			return nil
		}
		p.questions = append(p.questions, dnsmessage.Question{Name: name, Type: a.Type,
			Class: dnsmessage.ClassINET})
	}
	return p.pack()
}

// Asked is what a question is about.
type Asked struct {
	Name string
	Type dnsmessage.Type
}

// Query is what others asked.
type Query struct {
	id        uint16
	questions []dnsmessage.Question
	known     []dnsmessage.Resource // the asker has these already
	proposed  []dnsmessage.Resource // the asker is about to publish these
}

// Message is a packet as it was understood: one of both is nil.
type Message struct {
	Query  *Query
	Answer *Answer
}

// Parse reads a packet from anybody.
func Parse(bytes []byte) (Message, error) {
	var p dnsmessage.Parser
	if len(bytes) > MaxPacket {
		return Message{}, errTooLong
	}
	header, err := p.Start(bytes)
	if err != nil {
		return Message{}, err
	}
	if header.OpCode != 0 || header.RCode != 0 {
		return Message{}, errNotForUs
	}
	q := &Query{id: header.ID}
	for len(q.questions) <= maxRecords {
		one, err := p.Question()
		if err == dnsmessage.ErrSectionDone {
			break
		}
		if err != nil {
			return Message{}, err
		}
		q.questions = append(q.questions, one)
	}
	if header.Response {
		answer, err := parseAnswer(&p, header.ID)
		return Message{Answer: answer}, err
	}
	// what is wrong after the questions only means that less is known
	if p.SkipAllQuestions() == nil {
		q.known = resources(p.Answer)
		if p.SkipAllAnswers() == nil {
			q.proposed = resources(p.Authority)
		}
	}
	return Message{Query: q}, nil
}

func resources(next func() (dnsmessage.Resource, error)) (list []dnsmessage.Resource) {
	for len(list) < maxRecords {
		r, err := next()
		if err != nil {
			break
		}
		list = append(list, r)
	}
	return list
}

// Reply says what is to be answered about a service: something to everybody, with all its records
// (Announcement), or these bytes to the asker. legacy says that the question came from a port of
// the asker's own.
func (q *Query) Reply(s *Service, legacy bool) (everybody bool, unicast []byte) {
	all := s.records()
	var toOne []record
	for _, question := range q.questions {
		if class := question.Class &^ flush; class != dnsmessage.ClassINET &&
			class != dnsmessage.ClassANY {
			continue
		}
		for _, r := range all {
			if question.Type != r.kind && question.Type != dnsmessage.TypeALL ||
				!same(question.Name.String(), r.name) || !legacy && q.knows(r) {
				continue
			}
			if !legacy && question.Class&flush == 0 {
				everybody = true
			} else if !slices.Contains(toOne, r) {
				toOne = append(toOne, r)
			}
		}
	}
	if len(toOne) == 0 {
		return everybody, nil
	}
	p := &packet{header: answering, answers: toOne, additional: rest(all, toOne), ttl: TTL}
	p.header.ID = q.id
	if legacy {
		p.ttl, p.plain = legacyTTL, true
		p.questions = q.questions[:min(len(q.questions), legacyQuestions)]
	}
	return everybody, p.pack()
}

// legacyQuestions are repeated at most, so that an answer is not long because the question was.
const legacyQuestions = 2

// rest are the records that the asker would ask for next (RFC 6763 section 12).
func rest(all, answers []record) (list []record) {
	if answers[len(answers)-1] == all[0] { // of the type of all types alone
		return nil
	}
	for _, r := range all[2:] {
		if !slices.Contains(answers, r) {
			list = append(list, r)
		}
	}
	return list
}

// Probes says whether the asker is about to publish something.
func (q *Query) Probes() bool { return len(q.proposed) > 0 }

// knows says that the asker has the record, for another half of its time (section 7.1).
func (q *Query) knows(r record) bool {
	return slices.ContainsFunc(q.known, func(k dnsmessage.Resource) bool {
		return k.Header.TTL >= TTL/2 && same(k.Header.Name.String(), r.name) && equal(k.Body, r)
	})
}

func equal(body dnsmessage.ResourceBody, r record) bool {
	switch a := body.(type) {
	case *dnsmessage.PTRResource:
		b, is := r.body.(*dnsmessage.PTRResource)
		return is && same(a.PTR.String(), b.PTR.String())
	case *dnsmessage.SRVResource:
		b, is := r.body.(*dnsmessage.SRVResource)
		return is && a.Port == b.Port && a.Priority == b.Priority && a.Weight == b.Weight &&
			same(a.Target.String(), b.Target.String())
	case *dnsmessage.TXTResource:
		b, is := r.body.(*dnsmessage.TXTResource)
		return is && slices.Equal(a.TXT, b.TXT)
	case *dnsmessage.AResource:
		b, is := r.body.(*dnsmessage.AResource)
		return is && a.A == b.A
	case *dnsmessage.AAAAResource:
		b, is := r.body.(*dnsmessage.AAAAResource)
		return is && a.AAAA == b.AAAA
	}
	return false
}

// Beats says whether a probe of somebody else's, for the same names at the same time, wins against
// ours (section 8.2): its records come later in the order of their bytes. own says that it comes
// from this machine: then its addresses are ours.
func (q *Query) Beats(s *Service, own bool) bool {
	names := []string{s.Instance(), s.Host()}
	if own {
		names = names[:1]
	}
	for _, name := range names {
		var theirs, ours [][]byte
		for _, r := range q.proposed {
			if same(r.Header.Name.String(), name) {
				theirs = append(theirs, ordered(r.Body))
			}
		}
		if len(theirs) == 0 {
			continue
		}
		for _, r := range s.records()[2:] {
			if r.name == name {
				ours = append(ours, ordered(r.body))
			}
		}
		slices.SortFunc(theirs, bytes.Compare)
		slices.SortFunc(ours, bytes.Compare)
		if slices.CompareFunc(ours, theirs, bytes.Compare) < 0 {
			return true
		}
	}
	return false
}

// ordered is a record's type and data, for comparing.
func ordered(body dnsmessage.ResourceBody) []byte {
	r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: nameOf("."),
		Class: dnsmessage.ClassINET}, Body: body}
	m := dnsmessage.Message{Answers: []dnsmessage.Resource{r}}
	packed, _ := m.Pack()
	const head = 12 + 1 // the message's header and an empty name
	if len(packed) < head+10 {
		return nil
	}
	return append(packed[head:head+2:head+2], packed[head+10:]...)
}
