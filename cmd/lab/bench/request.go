//go:build linux

package bench

import (
	"strconv"
	"strings"
)

// value is something of a world that requests and answers differ by.
type value int

const (
	number value = iota // of number +271…
	user                // id of a user
	tenant              // of the tenant t…, and of that user
	node                // of the node that asks
	values
)

// places are the words that a template has for values, with the digits that each of them takes.
var places = [values]struct {
	word   string
	digits int
}{
	number: {"{number}", 8},
	user:   {"{user}", 4},
	tenant: {"{tenant}", 4},
	node:   {"{node}", 2},
}

// scatter is a prime beyond any size of a world: its multiples visit every number and user once, far from each other.
const scatter = 2_654_435_761

// pick returns the values of the i-th request.
func (s sizes) pick(i int) [values]int {
	u := i * scatter % s.users
	return [values]int{
		number: i * scatter % s.numbers,
		user:   1000 + u/s.tenants,
		tenant: 1 + u%s.tenants,
		node:   1 + i%s.nodes,
	}
}

// template is a text with places for values. Filled in, it is always of one length.
type template struct {
	text  []byte
	slots []slot
}

type slot struct {
	at   int
	what value
}

// newTemplate makes a template of text, in which the words of places stand.
func newTemplate(text string) template {
	var t template
	for text != "" {
		what := placeAt(text)
		if what == values {
			t.text = append(t.text, text[0])
			text = text[1:]
			continue
		}
		t.slots = append(t.slots, slot{len(t.text), what})
		t.text = append(t.text, strings.Repeat("0", places[what].digits)...)
		text = text[len(places[what].word):]
	}
	return t
}

func placeAt(text string) value {
	for what, p := range places {
		if strings.HasPrefix(text, p.word) {
			return value(what)
		}
	}
	return values
}

// clone is a copy that can be filled in beside t.
func (t template) clone() template { return template{append([]byte(nil), t.text...), t.slots} }

// fill writes the values into the text.
func (t template) fill(v [values]int) {
	for _, s := range t.slots {
		rest := v[s.what]
		for i := s.at + places[s.what].digits - 1; i >= s.at; i-- {
			t.text[i] = byte('0' + rest%10)
			rest /= 10
		}
	}
}

// post is body as FreeSWITCH posts it: no Connection: close, though it closes.
func post(path, body string) template {
	length := len(newTemplate(body).text)
	return newTemplate("POST " + path + " HTTP/1.1\r\n" +
		"Host: 127.0.0.1:8080\r\n" +
		"User-Agent: freeswitch-xml/1.0\r\n" +
		"Accept: */*\r\n" +
		"Content-Length: " + strconv.Itoa(length) + "\r\n" +
		"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body)
}
