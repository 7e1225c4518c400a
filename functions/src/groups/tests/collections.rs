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
        expect![[r#"
            array(1, 2, NULL): array<int>! = [1,2,null]
            array(): array<void>! = []
            array(1, 2, 1.5): array<decimal(21,1)>! = [1.0,2.0,1.5]
            array(a, 1): array<string>! = ["a","1"]
            array_append(array(1, 2), 3): array<bigint>! = [1,2,3]
            array_append(array(1), NULL): array<int>! = [1,null]
            array_append(NULL, 1): array<int> = NULL
            [DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES] Cannot resolve "array_append(array(1), a)" due to data type mismatch: Input to `array_append` should have been "ARRAY" followed by a value with same element type, but it's ["ARRAY<INT>", "STRING"].
            array_prepend(array(1, 2), 3): array<int>! = [3,1,2]
            array_insert(array(1, 2, 3), 5, 9): array<int>! = [1,2,3,null,9]
            array_insert(array(1, 2, 3), -1, 9): array<int>! = [1,2,3,9]
            array_insert(array(1, 2, 3), -5, 9): array<int>! = [9,null,1,2,3]
            array_insert(array(1, 2, 3), 1, 9): array<int>! = [9,1,2,3]
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "array_insert(array(1), NULL, 1)" due to data type mismatch: Parameter 2 requires the "INT" type, however "NULL" has the type "VOID".
            [INVALID_INDEX_OF_ZERO] The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).
            [COLLECTION_SIZE_LIMIT_EXCEEDED] Unsuccessful try to create array with 2147483647 elements due to exceeding the array size limit.
            [COLLECTION_SIZE_LIMIT_EXCEEDED] Unsuccessful try to create array with 2147483648 elements due to exceeding the array size limit.
            array_repeat(a, 2): array<string>! = ["a","a"]
            array_repeat(a, -1): array<string>! = []
            array_repeat(a, NULL): array<string> = NULL
            array_repeat(NULL, 2): array<void>! = [null,null]
            [COLLECTION_SIZE_LIMIT_EXCEEDED] Unsuccessful try to create array with 2147483647 elements due to exceeding the array size limit.
            arrays_zip(array(1, 2), array(a)): array<struct<0:int,1:string>>! = [{"0":1,"1":"a"},{"0":2,"1":null}]
            arrays_zip(): array<struct<>>! = []
            arrays_zip(array(1)): array<struct<0:int>>! = [{"0":1}]
            concat(array(1), array(2)): array<bigint>! = [1,2]
            [DATATYPE_MISMATCH.DATA_DIFF_TYPES] Cannot resolve "concat(array(1), NULL)" due to data type mismatch: Input to `concat` should all be the same type, but it's ("ARRAY<INT>" or "STRING").
            concat(array(), array(a)): array<string>! = ["a"]
            concat(a, 1, b): string! = a1b
            concat(): string! = 
            flatten(array(array(1), NULL)): array<int> = NULL
            flatten(array(array(1, 2), array(3))): array<int>! = [1,2,3]
            flatten(array(array())): array<void>! = []
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "flatten(array(1))" due to data type mismatch: Parameter 1 requires the "ARRAY" of "ARRAY" type, however "array(1)" has the type "ARRAY<INT>".
            reverse(array(1, NULL, 2)): array<int>! = [2,null,1]
            reverse(abc): string! = cba
            reverse(12): string! = 21
            reverse(NULL): string = NULL
        "#]],
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
        expect![[r#"
            array_contains(array(1, 2), 1): boolean! = true
            array_contains(array(1, NULL), 2): boolean = NULL
            [DATATYPE_MISMATCH.NULL_TYPE] Cannot resolve "array_contains(array(1), NULL)" due to data type mismatch: Null typed values cannot be used as arguments of `array_contains`.
            [DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES] Cannot resolve "array_contains(array(1), a)" due to data type mismatch: Input to `array_contains` should have been "ARRAY" followed by a value with same element type, but it's ["ARRAY<INT>", "STRING"].
            array_contains(array(NaN, 0.0), NaN): boolean! = true
            array_contains(array(0.0), -0.0): boolean! = true
            array_contains(array(array(1)), array(1)): boolean! = true
            [DATATYPE_MISMATCH.INVALID_ORDERING_TYPE] Cannot resolve "array_contains(array(map(1, 2)), map(1, 2))" due to data type mismatch: The `array_contains` does not support ordering on type "MAP<INT, INT>".
            array_distinct(array(0.0, -0.0, NaN, NaN, NULL, NULL)): array<double>! = [0.0,-0.0,NaN,null]
            array_distinct(array(array(1), array(1))): array<array<int>>! = [[1]]
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "array_distinct(1)" due to data type mismatch: Parameter 1 requires the "ARRAY" type, however "1" has the type "INT".
            array_except(array(1, 2, 2, NULL, NULL), array(2)): array<int>! = [1,null]
            array_except(array(1, 1, NULL), array(NULL)): array<int>! = [1]
            array_except(array(1), array(1)): array<bigint>! = []
            [DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES] Cannot resolve "array_except(array(1), array(a))" due to data type mismatch: Input to `array_except` should have been two "ARRAY" with same element type, but it's ["ARRAY<INT>", "ARRAY<STRING>"].
            array_intersect(array(1, 1, NULL, 2), array(NULL, 1)): array<int>! = [1,null]
            array_union(array(1, 1, NULL), array(NULL, 2)): array<int>! = [1,null,2]
            array_union(array(0.0), array(-0.0)): array<double>! = [0.0,-0.0]
            array_position(array(1, NULL), NULL): bigint = NULL
            array_position(array(1, NULL), 2): bigint! = 0
            array_position(array(1), 1): bigint! = 1
            array_remove(array(1, NULL), NULL): array<int> = NULL
            array_remove(array(1, 2, 3, NULL, 3), 3): array<int>! = [1,2,null]
            arrays_overlap(array(1, NULL), array(2)): boolean = NULL
            arrays_overlap(array(1, NULL), array(1)): boolean = true
            arrays_overlap(array(), array(NULL)): boolean = false
            arrays_overlap(array(1), array(2)): boolean! = false
            array_max(array(1, NULL, 3)): int = 3
            array_max(array(NaN, 1.0)): double = NaN
            array_min(array(NaN, 1.0)): double = 1.0
            array_min(array(NULL)): void = NULL
            array_max(array()): void = NULL
            [DATATYPE_MISMATCH.INVALID_ORDERING_TYPE] Cannot resolve "array_max(array(map(1, 2)))" due to data type mismatch: The `array_max` does not support ordering on type "MAP<INT, INT>".
            sort_array(array(3, NULL, 1), true): array<int>! = [null,1,3]
            sort_array(array(3, NULL, 1), false): array<int>! = [3,1,null]
            sort_array(array(NaN, 1.0, NULL), true): array<double>! = [null,1.0,NaN]
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "sort_array(array(3, 1), x)" due to data type mismatch: Parameter 2 requires the "BOOLEAN" type, however "x" has the type "STRING".
            array_compact(array(1, NULL, 2)): array<int>! = [1,2]
            array_join(array(a, NULL, b), ,): string! = a,b
            array_join(array(a, NULL, b), ,, x): string! = a,x,b
            array_join(array(a), NULL): string = NULL
            array_join(array(1, 2), ,): string! = 1,2
            slice(array(1, 2, 3), 2, 2): array<int>! = [2,3]
            slice(array(1, 2, 3), -2, 5): array<int>! = [2,3]
            slice(array(1, 2, 3), 5, 1): array<int>! = []
            slice(array(1, 2, 3), -5, 2): array<int>! = []
            slice(array(1, 2), 1, 0): array<int>! = []
            [_LEGACY_ERROR_TEMP_2051] Unexpected value for start in function slice: SQL array indices start at 1.
            [_LEGACY_ERROR_TEMP_2052] Unexpected value for length in function slice: length must be greater than or equal to 0.
            shuffle(array(1)): array<int>! = [1]
        "#]],
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
    check(&cases, expect![[r#"
        element_at(array(1, 2), 1): int! = 1
        element_at(array(1, 2), -1): int! = 2
        element_at(array(1, 2), 3): int = NULL
        [INVALID_INDEX_OF_ZERO] The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).
        [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "element_at(array(1, 2), 1)" due to data type mismatch: Parameter 2 requires the "INT" type, however "1" has the type "BIGINT".
        element_at(map(1, a), 2): string = NULL
        element_at(map(a, 1), a): int = 1
        [DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES] Cannot resolve "element_at(map(1, a), x)" due to data type mismatch: Input to `element_at` should have been "MAP" followed by a value with same key type, but it's ["MAP<INT, STRING>", "STRING"].
        try_element_at(array(1, 2), 5): int = NULL
        try_element_at(map(a, 1), b): int = NULL
        [INVALID_INDEX_OF_ZERO] The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).
        array(1, 2)[0]: int! = 1
        array(1, 2)[5]: int = NULL
        array(1, 2)[-1]: int = NULL
        map(a, 1)[a]: int = 1
        map(a, 1)[b]: int = NULL
        [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "array(1, 2)[a]" due to data type mismatch: Parameter 2 requires the "INTEGRAL" type, however "a" has the type "STRING".
        get(array(1, 2), 0): int = 1
        get(array(1), -1): int = NULL
        named_struct(a, 1).a: int! = 1
        array(named_struct(a, 1), named_struct(a, 2)).a: array<int>! = [1,2]
        array(named_struct(a, 1), NULL).a: array<int>! = [1,null]
        [FIELD_NOT_FOUND] No such struct field `b` in `a`.
        map(x, 1)[x]: int = 1
        size(array()): int! = 0
        size(NULL): int! = -1
        size(map(1, 2)): int! = 1
        cardinality(array(1)): int! = 1
        array_size(NULL): int = NULL
        size(NULL): int! = -1
        [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "size(1)" due to data type mismatch: Parameter 1 requires the ("ARRAY" or "MAP") type, however "1" has the type "INT".
    "#]]);
    check_ansi(&["(element_at (array 1 2) 3)", "([] (array 1 2) 5)", "(get (array 1 2) 5)", "(element_at (map 1 'a') 2)", "(size (cast null array<int>))"], expect![[r#"
        [INVALID_ARRAY_INDEX_IN_ELEMENT_AT] The index 3 is out of bounds. The array has 2 elements. Use `try_element_at` to tolerate accessing element at invalid index and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error.
        [INVALID_ARRAY_INDEX] The index 5 is out of bounds. The array has 2 elements. Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error.
        get(array(1, 2), 5): int = NULL
        element_at(map(1, a), 2): string = NULL
        size(NULL): int = NULL
    "#]]);
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
        expect![[r#"
            map(1, a, 2, NULL): map<int,string>! = {1:"a",2:null}
            map(): map<void,void>! = {}
            map(1, 1, 2, 2): map<bigint,bigint>! = {1:1,2:2}
            [DUPLICATED_MAP_KEY] Duplicate map key 1 was found, please check the input data. If you want to remove the duplicated keys, you can set "spark.sql.mapKeyDedupPolicy" to "LAST_WIN" so that the key inserted at last takes precedence.
            [NULL_MAP_KEY] Cannot use null as map key.
            [WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `map` requires 2n (n > 0) parameters but the actual number is 3. Please, refer to 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.
            [DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE] Cannot resolve "map(map(1, 2), 1)" due to data type mismatch: The key of map cannot be/contain "MAP<INT, INT>".
            map_concat(map(1, a), map(2, b)): map<int,string>! = {1:"a",2:"b"}
            map_concat(): map<string,string>! = {}
            [DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES] Cannot resolve "map_concat(map(1, a), NULL)" due to data type mismatch: The `map_concat` should all be of type map, but it's ["MAP<INT, STRING>", "VOID"].
            [DUPLICATED_MAP_KEY] Duplicate map key 1 was found, please check the input data. If you want to remove the duplicated keys, you can set "spark.sql.mapKeyDedupPolicy" to "LAST_WIN" so that the key inserted at last takes precedence.
            map_contains_key(map(1, a), 1): boolean! = true
            map_entries(map(1, a, 2, NULL)): array<struct<key:int,value:string>>! = [{"key":1,"value":"a"},{"key":2,"value":null}]
            map_from_arrays(array(1, 2), array(a, NULL)): map<int,string>! = {1:"a",2:null}
            map_from_entries(array(struct(1, a), struct(2, b))): map<int,string>! = {1:"a",2:"b"}
            [_LEGACY_ERROR_TEMP_2128] The key array and value array of MapData must have the same length.
            [NULL_MAP_KEY] Cannot use null as map key.
            map_from_entries(array(struct(1, a), NULL)): map<int,string> = NULL
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "map_from_entries(array(1))" due to data type mismatch: Parameter 1 requires the "ARRAY" of pair "STRUCT" type, however "array(1)" has the type "ARRAY<INT>".
            map_keys(map(1, a)): array<int>! = [1]
            map_values(map(1, a)): array<string>! = ["a"]
            map_keys(NULL): array<void> = NULL
            str_to_map(a:1,b:2, ,, :): map<string,string>! = {"a":"1","b":"2"}
            str_to_map(a:1,b, ,, :): map<string,string>! = {"a":"1","b":null}
            str_to_map(a=1;b=2, ;, =): map<string,string>! = {"a":"1","b":"2"}
            str_to_map(, ,, :): map<string,string>! = {"":null}
            str_to_map(NULL, ,, :): map<string,string> = NULL
            str_to_map(a:1:2, ,, :): map<string,string>! = {"a":"1:2"}
            [DUPLICATED_MAP_KEY] Duplicate map key a was found, please check the input data. If you want to remove the duplicated keys, you can set "spark.sql.mapKeyDedupPolicy" to "LAST_WIN" so that the key inserted at last takes precedence.
            named_struct(a, 1, b, x): struct<a:int,b:string>! = {"a":1,"b":"x"}
            struct(1, 2): struct<col1:int,col2:int>! = {"col1":1,"col2":2}
            [DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING] Cannot resolve "named_struct(1, 2)" due to data type mismatch: Only foldable `STRING` expressions are allowed to appear at odd position, but they are ["1"].
            [WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `named_struct` requires 2n (n > 0) parameters but the actual number is 1. Please, refer to 'https://spark.apache.org/docs/latest/sql-ref-functions.html' for a fix.
        "#]],
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
            "(sequence (cast '2020-01-31' date) (cast '2020-05-31' date) (cast '2' month))", "(sequence 'a' 'b')",
        ],
        expect![[r#"
            sequence(1, 5): array<int>! = [1,2,3,4,5]
            sequence(5, 1): array<int>! = [5,4,3,2,1]
            sequence(1, 5, 2): array<int>! = [1,3,5]
            sequence(1, 3): array<bigint>! = [1,2,3]
            sequence(1, 3): array<int>! = [1,2,3]
            sequence(1, NULL): array<int> = NULL
            [INVALID_PARAMETER_VALUE] requirement failed: Illegal sequence boundaries: 1 to 5 by -1
            [INVALID_PARAMETER_VALUE] requirement failed: Illegal sequence boundaries: 1 to 5 by 0
            sequence(1, 1, 0): array<int>! = [1]
            [COLLECTION_SIZE_LIMIT_EXCEEDED] Too long sequence: 2147483647. Should be <= 134217728
            sequence(2020-01-31, 2020-04-30, 1): array<date> = [2020-01-31,2020-02-29,2020-03-31,2020-04-30]
            sequence(2020-01-01, 2020-01-03): array<date> = [2020-01-01,2020-01-02,2020-01-03]
            sequence(2020-01-03, 2020-01-01): array<date> = [2020-01-03,2020-01-02,2020-01-01]
            sequence(2020-03-07 12:00:00, 2020-03-10 12:00:00, 1): array<timestamp> = [2020-03-07 12:00:00,2020-03-08 12:00:00,2020-03-09 12:00:00,2020-03-10 12:00:00]
            sequence(2020-03-07 12:00:00, 2020-03-07 15:00:00, 1): array<timestamp> = [2020-03-07 12:00:00,2020-03-07 13:00:00,2020-03-07 14:00:00,2020-03-07 15:00:00]
            [INVALID_PARAMETER_VALUE] sequence step must be an interval day to second of day granularity if start and end values are dates
            sequence(2020-01-01, 2020-01-03 00:00:00, 1): array<timestamp> = [2020-01-01 00:00:00,2020-01-02 00:00:00,2020-01-03 00:00:00]
            sequence(2020-01-31, 2020-05-31, 2): array<date> = [2020-01-31,2020-03-31,2020-05-31]
            [DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES] Cannot resolve "sequence(a, b)" due to data type mismatch: `sequence` uses the wrong parameter type. The parameter type must conform to: 1. The start and stop expressions must resolve to the same type. 2. If start and stop expressions resolve to the ("TIMESTAMP" or "TIMESTAMP_NTZ" or "DATE") type, then the step expression must resolve to the ("INTERVAL" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND") type. 3. Otherwise, if start and stop expressions resolve to the "INTEGRAL" type, then the step expression must resolve to the same type.
        "#]],
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
            "(bitmap_bit_position 1)", "(bitmap_bit_position -32769)", "(bitmap_bucket_number 32769)", "(bitmap_bucket_number -1)", "(bitmap_count (cast 'ab' binary))", "(explode 1)", "(explode null)", "(inline (array 1))",
        ],
        expect![[r#"
            explode(array(1, NULL)): array<struct<col:int>>! = [{"col":1},{"col":null}]
            explode_outer(array()): array<struct<col:void>>! = [null]
            posexplode(map(a, 1)): array<struct<pos:int,key:string,value:int>>! = [{"pos":0,"key":"a","value":1}]
            posexplode_outer(array(5)): array<struct<pos:int,col:int>>! = [{"pos":0,"col":5}]
            explode(NULL): array<struct<col:int>> = NULL
            explode_outer(NULL): array<struct<col:int>>! = [null]
            inline(array(struct(1, x), NULL)): array<struct<col1:int,col2:string>>! = [{"col1":1,"col2":"x"},null]
            inline_outer(array(struct(1, x))): array<struct<col1:int,col2:string>>! = [{"col1":1,"col2":"x"}]
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "inline_outer(NULL)" due to data type mismatch: Parameter 1 requires the "ARRAY<STRUCT>" type, however "NULL" has the type "ARRAY<INT>".
            stack(2, 1, 2, 3): array<struct<col0:int,col1:int>>! = [{"col0":1,"col1":2},{"col0":3,"col1":null}]
            stack(2, 1, a, NULL, NULL): array<struct<col0:int,col1:string>>! = [{"col0":1,"col1":"a"},{"col0":null,"col1":null}]
            [DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES] Cannot resolve "stack(2, 1, a, x, b)" due to data type mismatch: The data type of the column (0) do not have the same type: "INT" (1) <> "STRING" (3).
            json_tuple({"a":1,"b":"x","c":{"d":1.50},"e":null,"f":[1, 2]}, a, b, c, e, f, z): array<struct<c0:string,c1:string,c2:string,c3:string,c4:string,c5:string>>! = [{"c0":"1","c1":"x","c2":"{"d":1.5}","c3":null,"c4":"[1,2]","c5":null}]
            json_tuple(bad, a): array<struct<c0:string>>! = [{"c0":null}]
            bitmap_bit_position(1): bigint! = 0
            bitmap_bit_position(-32769): bigint! = 1
            bitmap_bucket_number(32769): bigint! = 2
            bitmap_bucket_number(-1): bigint! = 0
            bitmap_count(ab): bigint! = 6
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "explode(1)" due to data type mismatch: Parameter 1 requires the ("ARRAY" or "MAP") type, however "1" has the type "INT".
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "explode(NULL)" due to data type mismatch: Parameter 1 requires the ("ARRAY" or "MAP") type, however "NULL" has the type "VOID".
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "inline(array(1))" due to data type mismatch: Parameter 1 requires the "ARRAY<STRUCT>" type, however "array(1)" has the type "ARRAY<INT>".
        "#]],
    );
}
