//go:build linux

package load

import (
	"strconv"
	"strings"

	"xmlcurld/cmd/lab/world"
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

// pick returns the values of the i-th request.
func pick(s world.Sizes, i int) [values]int {
	u := world.Scattered(i, s.Users)
	return [values]int{
		number: world.Scattered(i, s.Numbers),
		user:   1000 + u/s.Tenants,
		tenant: 1 + u%s.Tenants,
		node:   1 + i%s.Nodes,
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
