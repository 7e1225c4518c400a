SET TIME ZONE 'Europe/Berlin';
CREATE TEMPORARY VIEW staff AS SELECT * FROM VALUES
  (1, 'Ada', 'ops', 5200.50, DATE'2019-03-01', CAST(NULL AS INT)),
  (2, 'Ben', 'ops', 4100.00, DATE'2020-07-15', 1),
  (3, 'Cid', 'dev', 6100.25, DATE'2018-11-30', 1),
  (4, 'Dee', 'dev', NULL, DATE'2021-01-04', 3),
  (5, 'Eve', NULL, 3900.75, NULL, 3)
  AS staff(id, name, team, pay, since, boss);
CREATE TEMPORARY VIEW sales AS SELECT * FROM VALUES
  ('north', 2022, 1, 10.5D), ('north', 2022, 2, 20.25D), ('north', 2023, 1, 5D), ('south', 2022, 1, 7D),
  ('south', 2023, 1, CAST(NULL AS DOUBLE)), ('south', 2023, 2, 8.5D), ('west', 2023, 2, 0D)
  AS sales(region, year, quarter, amount);
CREATE TEMPORARY VIEW numbers AS SELECT * FROM VALUES
  (1Y, 2S, 3, 4L, 1.5F, 2.5D, 10.25), (-7Y, -300S, -70000, -5000000000L, -0.5F, -1e10D, -99.99),
  (0Y, 0S, 0, 0L, 0F, -0D, 0.00), (NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (127Y, 32767S, 2147483647, 9223372036854775807L, float('NaN'), double('Infinity'), 999.99)
  AS numbers(t, s, i, b, f, d, n);
CREATE TEMPORARY VIEW words AS SELECT * FROM VALUES
  (1, 'Hello World'), (2, 'straße'), (3, ''), (4, NULL), (5, ' padded '), (6, '日本語'), (7, 'a,b,,c')
  AS words(id, w);
CREATE TEMPORARY VIEW lists AS SELECT * FROM VALUES
  (1, array(3, 1, 2)), (2, array(1, NULL, 1)), (3, CAST(array() AS array<int>)), (4, NULL)
  AS lists(id, a);
