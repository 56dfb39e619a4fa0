package explain

import (
	"fmt"
	"strconv"
	"strings"

	"xmlcurld/db"
	"xmlcurld/db/table"
	"xmlcurld/internal/hunt"
)

// noteConditions notes the rows of the conditions that were judged. Those of a body have none.
func (e *Explainer) noteConditions(route db.Route, steps []hunt.Step) {
	extensions := make(map[string]*db.Extension)
	before := make(map[string]int) // conditions of the answer that stand before those of rows
	for i, x := range route.Extensions {
		extensions[x.Name] = x
		if len(x.Conditions) > 0 && x.Conditions[0].Position == 0 || route.Called != nil && i == route.Own {
			before[x.Name] = 1
		}
	}
	name := ""
	for _, s := range steps {
		switch s.Kind {
		case hunt.StepExtension:
			name = s.Extension
		case hunt.StepTime, hunt.StepRegex, hunt.StepAbsolute:
			x := extensions[name]
			if x == nil || x.Body != "" {
				continue
			}
			if position := positionOf(x, s.Condition, before[name]); position != 0 {
				e.rows.note("condition", name+table.Separator+fmt.Sprint(position))
			}
		}
	}
}

// positionOf returns the position of the row for a condition of the answer, 0 if it has none.
func positionOf(x *db.Extension, place string, before int) (position int) {
	for _, part := range strings.Split(place, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0
		}
		n, before = n-before, 0
		parent := position
		position = 0
		for i := range x.Conditions {
			if c := &x.Conditions[i]; c.Position != 0 && c.Parent == parent {
				if n--; n == 0 {
					position = c.Position
					break
				}
			}
		}
		if position == 0 {
			return 0
		}
	}
	return position
}
