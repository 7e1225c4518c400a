use expect_test::expect;

use super::{check, check_ansi};

#[test]
fn arrays_are_made_of_elements_and_arrays() {
    check(
        &[
            "(array 1 2 null)", "(array)", "(array 1 2L 1.5)", "(array 'a' 1)",
            "(array_append (array 1 2) 3L)", "(array_append (array 1) null)", "(array_append (cast null array<int>) 1)",
            "(array_append (array 1) 'a')", "(array_prepend (array 1 2) 3)",
            "(array_insert (array 1 2 3) 5 9)", "(array_insert (array 1 2 3) -1 9)", "(array_insert (array 1 2 3) -5 9)",
            "(array_insert (array 1 2 3) 1 9)", "(array_insert (array 1) null 1)", "(array_insert (array 1 2 3) 0 9)",
            "(array_insert (array 1 2 3) 2147483647 9)", "(array_insert (array 1 2 3) -2147483648 9)",
            "(array_repeat 'a' 2)", "(array_repeat 'a' -1)", "(array_repeat 'a' null)", "(array_repeat null 2)",
            "(array_repeat 'x' 2147483647)",
            "(arrays_zip (array 1 2) (array 'a'))", "(arrays_zip)", "(arrays_zip (array 1))",
            "(concat (array 1) (array 2L))", "(concat (array 1) null)", "(concat (array) (array 'a'))", "(concat 'a' 1 'b')", "(concat)",
            "(flatten (array (array 1) null))", "(flatten (array (array 1 2) (array 3)))", "(flatten (array (array)))", "(flatten (array 1))",
            "(reverse (array 1 null 2))", "(reverse 'abc')", "(reverse 12)", "(reverse null)",
        ],
        expect![[r#""#]],
    );
}

#[test]
fn arrays_are_searched_and_compared_as_values_are() {
    check(
        &[
            "(array_contains (array 1 2) 1L)", "(array_contains (array 1 null) 2)", "(array_contains (array 1) null)", "(array_contains (array 1) 'a')",
            "(array_contains (array NaND 0.0D) NaND)", "(array_contains (array 0.0D) -0.0D)", "(array_contains (array (array 1)) (array 1))",
            "(array_contains (array (map 1 2)) (map 1 2))",
            "(array_distinct (array 0.0D -0.0D NaND NaND null null))", "(array_distinct (array (array 1) (array 1)))", "(array_distinct 1)",
            "(array_except (array 1 2 2 null null) (array 2))", "(array_except (array 1 1 null) (array null))", "(array_except (array 1) (array 1L))",
            "(array_except (array 1) (array 'a'))", "(array_intersect (array 1 1 null 2) (array null 1))",
            "(array_union (array 1 1 null) (array null 2))", "(array_union (array 0.0D) (array -0.0D))",
            "(array_position (array 1 null) null)", "(array_position (array 1 null) 2)", "(array_position (array 1) 1L)", "(array_remove (array 1 null) null)",
            "(array_remove (array 1 2 3 null 3) 3)",
            "(arrays_overlap (array 1 null) (array 2))", "(arrays_overlap (array 1 null) (array 1))", "(arrays_overlap (array) (array null))",
            "(arrays_overlap (array 1) (array 2))",
            "(array_max (array 1 null 3))", "(array_max (array NaND 1D))", "(array_min (array NaND 1D))", "(array_min (array null))", "(array_max (array))",
            "(array_max (array (map 1 2)))",
            "(sort_array (array 3 null 1))", "(sort_array (array 3 null 1) false)", "(sort_array (array NaND 1D null))", "(sort_array (array 3 1) 'x')",
            "(array_compact (array 1 null 2))", "(array_join (array 'a' null 'b') ',')", "(array_join (array 'a' null 'b') ',' 'x')",
            "(array_join (array 'a') null)", "(array_join (array 1 2) ',')",
            "(slice (array 1 2 3) 2 2)", "(slice (array 1 2 3) -2 5)", "(slice (array 1 2 3) 5 1)", "(slice (array 1 2 3) -5 2)", "(slice (array 1 2) 1 0)",
            "(slice (array 1 2 3) 0 2)", "(slice (array 1 2 3) 1 -1)", "(shuffle (array 1))",
        ],
        expect![[r#""#]],
    );
}

#[test]
fn elements_and_sizes() {
    let cases = [
        "(element_at (array 1 2) 1)", "(element_at (array 1 2) -1)", "(element_at (array 1 2) 3)", "(element_at (array 1 2) 0)",
        "(element_at (array 1 2) 1L)", "(element_at (map 1 'a') 2)", "(element_at (map 'a' 1) 'a')", "(element_at (map 1 'a') 'x')",
        "(try_element_at (array 1 2) 5)", "(try_element_at (map 'a' 1) 'b')", "(try_element_at (array 1 2) 0)",
        "([] (array 1 2) 0)", "([] (array 1 2) 5)", "([] (array 1 2) -1)", "([] (map 'a' 1) 'a')", "([] (map 'a' 1) 'b')", "([] (array 1 2) 'a')",
        "(get (array 1 2) 0)", "(get (array 1) -1)", "(. (named_struct 'a' 1) a)", "(. (array (named_struct 'a' 1) (named_struct 'a' 2)) a)",
        "(. (array (named_struct 'a' 1) null) a)", "(. (named_struct 'a' 1) b)", "(. (map 'x' 1) x)",
        "(size (array))", "(size (cast null array<int>))", "(size (map 1 2))", "(cardinality (array 1))", "(array_size null)", "(size null)", "(size 1)",
    ];
    check(&cases, expect![[r#""#]]);
    check_ansi(&["(element_at (array 1 2) 3)", "([] (array 1 2) 5)", "(get (array 1 2) 5)", "(element_at (map 1 'a') 2)", "(size (cast null array<int>))"], expect![[r#""#]]);
}

#[test]
fn maps_have_a_key_once() {
    check(
        &[
            "(map 1 'a' 2 null)", "(map)", "(map 1 1L 2L 2)", "(map 1 'a' 1 'b')", "(map null 1)", "(map 1 2 3)", "(map (map 1 2) 1)",
            "(map_concat (map 1 'a') (map 2 'b'))", "(map_concat)", "(map_concat (map 1 'a') null)", "(map_concat (map 1 'a') (map 1 'b'))",
            "(map_contains_key (map 1 'a') 1L)", "(map_entries (map 1 'a' 2 null))", "(map_from_arrays (array 1 2) (array 'a' null))",
            "(map_from_entries (array (struct 1 'a') (struct 2 'b')))", "(map_from_arrays (array 1 2) (array 'a'))",
            "(map_from_arrays (array 1 null) (array 'a' 'b'))", "(map_from_entries (array (struct 1 'a') null))", "(map_from_entries (array 1))",
            "(map_keys (map 1 'a'))", "(map_values (map 1 'a'))", "(map_keys null)",
            "(str_to_map 'a:1,b:2')", "(str_to_map 'a:1,b')", "(str_to_map 'a=1;b=2' ';' '=')", "(str_to_map '')", "(str_to_map null)",
            "(str_to_map 'a:1:2')", "(str_to_map 'a:1,a:2')",
            "(named_struct 'a' 1 'b' 'x')", "(struct 1 2)", "(named_struct 1 2)", "(named_struct 'a')",
        ],
        expect![[r#""#]],
    );
}

#[test]
fn sequences() {
    let m = "(cast '1' month)";
    let one_month = format!("(sequence (cast '2020-01-31' date) (cast '2020-04-30' date) {m})");
    check(
        &[
            "(sequence 1 5)", "(sequence 5 1)", "(sequence 1 5 2)", "(sequence 1L 3)", "(sequence (cast 1 tinyint) 3)", "(sequence 1 null)",
            "(sequence 1 5 -1)", "(sequence 1 5 0)", "(sequence 1 1 0)", "(sequence 1 2147483647)", &one_month,
            "(sequence (cast '2020-01-01' date) (cast '2020-01-03' date))", "(sequence (cast '2020-01-03' date) (cast '2020-01-01' date))",
            "(sequence (cast '2020-03-07 12:00:00' timestamp) (cast '2020-03-10 12:00:00' timestamp) (cast '1' day))",
            "(sequence (cast '2020-03-07 12:00:00' timestamp) (cast '2020-03-07 15:00:00' timestamp) (cast '1' hour))",
            "(sequence (cast '2020-01-01' date) (cast '2020-01-02' date) (cast '12' hour))",
            "(sequence (cast '2020-01-01' date) (cast '2020-01-03 00:00:00' timestamp) (cast '1' day))",
            "(sequence 'a' 'b')",
        ],
        expect![[r#""#]],
    );
}

#[test]
fn generators_make_arrays_of_structs() {
    check(
        &[
            "(explode (array 1 null))", "(explode_outer (array))", "(posexplode (map 'a' 1))", "(posexplode_outer (array 5))", "(explode (cast null array<int>))",
            "(explode_outer (cast null array<int>))", "(inline (array (struct 1 'x') null))", "(inline_outer (array (struct 1 'x')))",
            "(inline_outer (cast null array<int>))", "(stack 2 1 2 3)", "(stack 2 1 'a' null null)", "(stack 2 1 'a' 'x' 'b')",
            "(json_tuple '{\"a\":1,\"b\":\"x\",\"c\":{\"d\":1.50},\"e\":null,\"f\":[1, 2]}' 'a' 'b' 'c' 'e' 'f' 'z')", "(json_tuple 'bad' 'a')",
            "(explode 1)", "(explode null)", "(inline (array 1))",
        ],
        expect![[r#""#]],
    );
}
