-- +goose Up

-- A call looks for its number here. The primary key finds it too, on three
-- pages and by twenty comparisons where there are a million; this is one page
-- and a few, and the more numbers there are, the less of it any cache holds.
-- No context has a blank in its name, so that no two rows are taken for one.
CREATE INDEX number_called ON number USING hash ((context || ' ' || number));
