package fakeswitch

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// document is what a switch reads of an answer.
type document struct {
	Lists []struct {
		Name string `xml:"name,attr"`
	} `xml:"section>configuration>network-lists>list"`
	Loads []struct {
		Module string `xml:"module,attr"`
	} `xml:"section>configuration>modules>load"`
	Settings []param `xml:"section>configuration>settings>param"`
	Zones    []struct {
		Name string `xml:"name,attr"`
	} `xml:"section>configuration>timezones>zone"`
	Profiles []struct {
		Name     string  `xml:"name,attr"`
		Params   []param `xml:"settings>param"`
		Gateways []struct {
			Name      string  `xml:"name,attr"`
			Params    []param `xml:"param"`
			Variables []param `xml:"variable"`
		} `xml:"gateways>gateway"`
	} `xml:"section>configuration>profiles>profile"`
	raw string
}

type param struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

func value(params []param, name string) string {
	for _, p := range params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

var errNotFound = errors.New("not found")

// fetch asks as mod_xml_curl does.
func (s *Switch) fetch(name string, fields ...string) (d document, err error) {
	if s.Faults.Fetches > 0 {
		s.Faults.Fetches--
		return d, errNotFound
	}
	form := "hostname=" + s.Name + "&section=configuration&tag_name=configuration&key_name=name&key_value=" + name
	for i := 0; i < len(fields); i += 2 {
		form += "&" + fields[i] + "=" + url.QueryEscape(fields[i+1])
	}
	response, err := http.Post(s.Server, "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		return d, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || strings.Contains(string(body), "not found") {
		return d, errNotFound
	}
	d.raw = s.expand(string(body))
	return d, xml.Unmarshal([]byte(d.raw), &d)
}

var globalVariable = regexp.MustCompile(`\$\${([^}]*)}`)

// expand replaces global variables, unknown ones by nothing.
func (s *Switch) expand(text string) string {
	return globalVariable.ReplaceAllStringFunc(text, func(match string) string {
		return s.Variables[match[3:len(match)-1]]
	})
}
