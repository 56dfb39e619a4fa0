//go:build e2e

package e2e

import "testing"

// shapes are extensions of a context after which FreeSWITCH goes on looking, by the number that they are for. The caller
// gets 480 where something was done for the call and 404 where nothing was.
var shapes = []struct{ name, number, status, statement string }{
	{"last condition false, break never", "5001", "480", `INSERT INTO extension (name, body) VALUES ('h5001',
		'<condition field="destination_number" expression="^5001$"><action application="ring_ready"/></condition>
		 <condition field="caller_id_number" expression="^zzz$" break="never"><action application="answer"/></condition>')`},
	{"last condition false", "5002", "480", `INSERT INTO extension (name, body) VALUES ('h5002',
		'<condition field="destination_number" expression="^5002$"><action application="log" data="NOTICE 5002"/></condition>
		 <condition field="caller_id_number" expression="^zzz$"/>')`},
	{"xor, the last one false", "5003", "480", `INSERT INTO extension (name, body) VALUES ('h5003',
		'<condition regex="xor"><regex field="destination_number" expression="^5003$"/><regex field="caller_id_number" expression="^zzz$"/>
		 <action application="log" data="NOTICE 5003"/></condition>')`},
	{"continue", "5004", "480", `INSERT INTO extension (name, continue, body) VALUES ('h5004', true,
		'<condition field="destination_number" expression="^5004$"><action application="set" data="a=b"/></condition>')`},
	{"anti-action", "5005", "480", `INSERT INTO extension (name, body) VALUES ('h5005',
		'<condition field="destination_number" expression="^5005$"/>
		 <condition field="caller_id_number" expression="^zzz$" break="never"><anti-action application="ring_ready"/></condition>
		 <condition field="caller_id_number" expression="^zzz$"/>')`},
	{"a condition in a condition false", "5006", "480", `INSERT INTO extension (name, body) VALUES ('h5006',
		'<condition field="destination_number" expression="^5006$"><action application="ring_ready"/>
			<condition field="caller_id_number" expression="^zzz$"/></condition>')`},
	{"only inline", "5007", "480", `INSERT INTO extension (name, continue, body) VALUES ('h5007', true,
		'<condition field="destination_number" expression="^5007$"><action application="set" data="a=b" inline="true"/></condition>')`},
	{"time true, field false", "5008", "480", `INSERT INTO extension (name, body) VALUES ('h5008',
		'<condition field="destination_number" expression="^5008$"/>
		 <condition year="1970-9999" field="caller_id_number" expression="^zzz$"><action application="ring_ready"/></condition>')`},
	{"all false", "5009", "404", `INSERT INTO extension (name, body) VALUES ('h5009',
		'<condition field="destination_number" expression="^5009$"/>
		 <condition field="caller_id_number" expression="^zzz$" break="never"><action application="ring_ready"/></condition>')`},
	{"transferred to nobody's number", "5010", "404", `INSERT INTO extension (name, body) VALUES ('h5010',
		'<condition field="destination_number" expression="^5010$"><action application="transfer" data="5999"/></condition>
		 <condition field="caller_id_number" expression="^zzz$"/>')`},
	{"executed to nobody's number", "5011", "404", `INSERT INTO extension (name, body) VALUES ('h5011',
		'<condition field="destination_number" expression="^5011$"><action application="execute_extension" data="5999"/></condition>
		 <condition field="caller_id_number" expression="^zzz$"/>')`},
	{"dial string over several lines", "5013", "200", `INSERT INTO extension (name, body) VALUES ('h5013',
		'<condition field="destination_number" expression="^5013$"><action application="bridge" data="{ignore_early_media=true}
			[leg_timeout=5]error/user_busy|
			loopback/5014/public/XML"/></condition>'), ('h5014',
		'<condition field="destination_number" expression="^5014$"><action application="answer"/><action application="sleep" data="500"/></condition>')`},
	{"matched to the end", "5012", "486", `INSERT INTO extension (name, body) VALUES ('h5012',
		'<condition regex="any"><regex field="destination_number" expression="^5012$"/><action application="respond" data="486"/></condition>')`},
}

// notFoundRunsAfterNothing: the answer for nobody's number comes where nothing was done for the call, and nowhere else.
func notFoundRunsAfterNothing(t *testing.T, w *world) {
	for _, shape := range shapes {
		w.sql(t, shape.statement)
	}
	w.sql(t, `INSERT INTO context_extension (context, extension) SELECT 'public', name FROM extension WHERE name ~ '^h50'`)
	w.sql(t, `INSERT INTO extension (name, continue) VALUES ('h.every', true)`)
	w.sql(t, `INSERT INTO action (extension, position, application, data) VALUES ('h.every', 1, 'set', 'RECORD_STEREO=true')`)
	w.sql(t, `INSERT INTO context_extension (context, extension, position) VALUES ('public', 'h.every', 1)`)
	t.Cleanup(func() { w.sql(t, `DELETE FROM extension WHERE name ~ '^h'`) })
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) { w.checkGets(t, twilio, shape.number, shape.status) })
	}
	t.Run("what every call gets is no answer", func(t *testing.T) { w.checkGets(t, twilio, nobodysNumber, "404") })
}

// everyCallGetsItsExtensions: those of the context stand around the number's own, whose conditions are rows.
func everyCallGetsItsExtensions(t *testing.T, w *world) {
	for _, statement := range []string{
		`INSERT INTO extension (name, continue) VALUES ('h.before', true), ('h.own', true), ('h.after', false)`,
		`INSERT INTO condition (extension, position, regex) VALUES ('h.own', 1, 'any')`,
		`INSERT INTO condition_regex (extension, condition, position, field, expression, year) VALUES ('h.own', 1, 1, 'ani', '^zzz$', NULL), ('h.own', 1, 2, NULL, NULL, '1970-9999')`,
		`INSERT INTO condition (extension, position, parent, minute_of_day, week, tz_offset) VALUES ('h.own', 2, 1, '1-1440', '1-53', NULL)`,
		`INSERT INTO action (extension, condition, position, application, data) VALUES
			('h.before', NULL, 1, 'set', 'before=4'), ('h.own', 2, 1, 'set', 'own=8'), ('h.after', NULL, 1, 'respond', '${before}${own}6')`,
		`INSERT INTO context_extension (context, extension, after_number) VALUES ('public', 'h.before', false), ('public', 'h.after', true)`,
		`INSERT INTO number (number, tenant, extension) VALUES ('5100', 'vumi', 'h.own')`,
	} {
		w.sql(t, statement)
	}
	t.Cleanup(func() {
		w.sql(t, `DELETE FROM number WHERE extension = 'h.own'`)
		w.sql(t, `DELETE FROM extension WHERE name ~ '^h'`)
	})
	w.checkGets(t, twilio, "5100", "486")
}

// bodyTakesANumbersValues: a condition that no row held before the call is transferred.
func bodyTakesANumbersValues(t *testing.T, w *world) {
	w.sql(t, `INSERT INTO extension (name, body) VALUES
		('h.forward', '<condition hour="0-23" minute-of-day="1-1440"><action application="transfer" data="%{forward_number}"/></condition>'),
		('h.busy', '<condition><action application="respond" data="486"/></condition>')`)
	w.sql(t, `INSERT INTO number (number, tenant, extension, forward_number) VALUES ('5101', 'vumi', 'h.forward', '5102'), ('5102', 'vumi', 'h.busy', NULL)`)
	t.Cleanup(func() {
		w.sql(t, `DELETE FROM number WHERE extension ~ '^h'`)
		w.sql(t, `DELETE FROM extension WHERE name ~ '^h'`)
	})
	w.checkGets(t, twilio, "5101", "486")
}
