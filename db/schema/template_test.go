package schema_test

import (
	"testing"

	"xmlcurld/db/dbtest"
)

// fitting are templates that hold a tenant's value where FreeSWITCH neither expands nor executes it.
var fitting = [][2]string{
	{"bridge", "sofia/gateway/twilio/%{forward_number}"},
	{"bridge", "sofia/external/%{number}@%{address}"},
	{"bridge", "sofia/external/%{forward_number}@%{address}"},
	{"bridge", "user/1000@acme.example,sofia/gateway/twilio/%{forward_number}"},
	{"bridge", "{effective_caller_id_name=%{display_name}}sofia/gateway/twilio/%{forward_number}"},
	{"bridge", "{a=${b},origination_caller_id_name=%{display_name},c=d}user/1"},
	{"bridge", "{origination_caller_id_number=%{forward_number}}{x=y}[sip_h_X-To=%{forward_number}]user/1|user/2"},
	{"bridge", "{^^;a=b;effective_caller_id_name=%{display_name};c=d}user/1"},
	{"bridge", "<a=b>{sip_h_X-Address=%{address}}user/1:_:sofia/gateway/twilio/%{forward_number}"},
	{"bridge", "${group_call(sales@${domain})},sofia/gateway/twilio/%{forward_number}"},
	{"bridge", "loopback/%{forward_number}/public"},
	{"bridge", "user/1,loopback/00%{forward_number}/%{tenant}/XML|user/2"},
	{"transfer", "%{forward_number}"},
	{"transfer", "-bleg 00%{forward_number} XML %{tenant}"},
	{"set", "effective_caller_id_name=${x} %{display_name}"},
	{"export", "nolocal:sip_h_X-Name=%{display_name}"},
	{"speak", "flite|slt|%{display_name}"},
	{"speak", "Hello %{display_name}"},
	{"say", "en NUMBER pronounced %{forward_number}"},
	{"log", "INFO {[<%{display_name}>]} ${a} ${b ${c}} %{address}"},
	{"respond", "480 %{display_name}"},
	{"redirect", "sip:%{forward_number}@%{address}"},
	{"socket", "127.0.0.1:8051 async full %{number} of %{tenant}"},
	{"set", "accountcode=%{tenant}"},
}

// unfitting are templates that hold one where FreeSWITCH might.
var unfitting = [][2]string{
	// inside an expansion, however deep, and whatever its braces' neighbours
	{"log", "${md5 %{display_name}}"},
	{"log", "${a ${b ${c ${d %{display_name}}}}}"},
	{"log", "${a ${b} ${c ${d ${e}}} %{display_name}}"},
	{"log", "${a {{{}}} %{display_name}}"},
	{"log", "${{a} %{display_name}}"},
	{"log", "$${a%{display_name}}"},
	{"log", "\\${a %{display_name}}"},
	{"log", "${a} ${b(%{address})}"},
	{"log", "${%{forward_number}}"},
	{"log", "${a %{number}}"},
	{"log", "${a %{tenant}"},
	{"set", "effective_caller_id_name=${a ${b {c} %{display_name}}}"},
	{"bridge", "{a=${b ${c ${d}} %{address}}}user/1"},
	{"bridge", "sofia/gateway/${a ${b {x} %{forward_number}}}/1"},
	// variables that FreeSWITCH acts on
	{"set", "api_hangup_hook=%{display_name}"},
	{"set", "%{display_name}=1"},
	{"set", "origination_uuid=%{forward_number}"},
	{"set", "nolocal:origination_nested_vars=%{display_name}"},
	{"export", "execute_on_answer=%{address}"},
	{"bridge", "{execute_on_answer=%{display_name}}user/1"},
	{"bridge", "{origination_uuid=%{forward_number}}user/1"},
	{"bridge", "{a=b,api_on_answer=%{display_name}}user/1"},
	{"bridge", "[a={b},api_on_answer=%{display_name}]user/1"},
	{"bridge", "[a=${b},api_on_answer=x %{display_name}]user/1"},
	{"bridge", "<api_on_answer=%{display_name}>user/1:_:user/2"},
	// a value with neighbours
	{"bridge", "{effective_caller_id_name=a%{display_name}}user/1"},
	{"bridge", "{effective_caller_id_name=%{display_name}a}user/1"},
	{"bridge", "{effective_caller_id_name=%{display_name}${a}}user/1"},
	{"bridge", "{effective_caller_id_name=${a}%{display_name}}user/1"},
	{"bridge", "{effective_caller_id_name=%{display_name}%{forward_number}}user/1"},
	{"bridge", "{api_on_answer=x,y effective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "{${a}effective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "{ effective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "{a=b=effective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "{%{display_name}}user/1"},
	{"bridge", "{a,%{display_name}=b}user/1"},
	{"bridge", "{effective_caller_id_name=%{display_name}"},
	// quotes and backslashes change what a separator is
	{"bridge", "{api_on_answer='a,effective_caller_id_name=%{display_name}'}user/1"},
	{"bridge", "{api_on_answer=a\\,effective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "{a='b',effective_caller_id_name=%{display_name}}user/1"},
	// so does another separator, above all one that a value may hold
	{"bridge", "{^^:api_on_answer=a,effective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "{^^:a=b:effective_caller_id_name=%{address}}user/1"},
	{"bridge", "{^^.a=b.effective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "{^^ a=b effective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "{^^}a=b}effective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "{^^|api_on_answer=a,effective_caller_id_name=%{display_name}|b=c}user/1"},
	{"bridge", "{^^1a=b1effective_caller_id_name=%{forward_number}}user/1"},
	// brackets within brackets
	{"bridge", "{a=[b,effective_caller_id_name=%{display_name}]}user/1"},
	{"bridge", "{a={b,effective_caller_id_name=%{display_name}}}user/1"},
	{"bridge", "[<effective_caller_id_name=%{display_name}>]user/1"},
	{"bridge", "[sip_h_X-Address=%{address}]user/1"},
	// a destination
	{"bridge", "%{forward_number}"},
	{"bridge", "%{address}"},
	{"bridge", "user/1,%{forward_number}"},
	{"bridge", "user/1|%{address}"},
	{"bridge", "user/1:_:%{forward_number}"},
	{"bridge", "{a=b}%{forward_number}/1"},
	{"bridge", "loopback/app=log:%{forward_number}"},
	{"bridge", "loopback/%{address}/default"},
	{"bridge", "loopback/%{forward_number}/default/inline"},
	{"bridge", "user/1,loopback/%{forward_number}/default/${a}"},
	{"bridge", "loopback/log:%{forward_number}/default/xml"},
	{"bridge", "{^^éa=béeffective_caller_id_name=%{display_name}}user/1"},
	{"bridge", "user/1, LOOPBACK/app=log:%{address}"},
	{"bridge", "sofia/external/%{display_name}"},
	// other applications
	{"transfer", "%{display_name}"},
	{"transfer", "%{forward_number} inline"},
	{"transfer", "%{forward_number} XML %{display_name}"},
	{"transfer", "log:%{forward_number} inline"},
	{"speak", "%{display_name}|slt|hello"},
	{"speak", "flite|%{display_name}|hello"},
	{"socket", "%{address} async full"},
	{"system", "%{forward_number}"},
	{"execute_extension", "%{forward_number}"},
	{"playback", "%{address}"},
	{"lua", "%{display_name}"},
	{"eval", "%{display_name}"},
	{"bind_digit_action", "%{forward_number}"},
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.DemoURL(t))
	if _, err := conn.Exec(t.Context(), `INSERT INTO extension (name) VALUES ('template')`); err != nil {
		t.Fatal(err)
	}
	for _, list := range []struct {
		templates [][2]string
		accepted  bool
	}{{fitting, true}, {unfitting, false}} {
		for _, template := range list.templates {
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = tx.Exec(t.Context(), `INSERT INTO action (extension, position, application, data) VALUES ('template', 1, $1, $2)`, template[0], template[1])
			if accepted := err == nil; accepted != list.accepted {
				t.Errorf("%s %s: accepted %t (%v)", template[0], template[1], accepted, err)
			}
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}
