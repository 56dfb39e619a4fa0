-- +goose Up

-- A call looks for its number here. The primary key finds it too, on three
-- pages and by twenty comparisons where there are a million; this is one page
-- and a few, and the more numbers there are, the less of it any cache holds.
-- It is the same for 27123456789 and +27123456789, since carriers write both.
-- No context has a blank in its name, so that no other two are taken for one.
-- Pages that are filled to three quarters, as is usual, overflow into others
-- where buckets wait to be split: a fifth of them. Half full, none does.
CREATE INDEX number_called ON number USING hash ((context || ' ' || ltrim(number, '+'))) WITH (fillfactor = 50);
