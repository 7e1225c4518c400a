//! Arrays and elements.

use expect_test::expect;

use super::{check, check_ansi};

#[test]
fn arrays_are_made_of_elements_and_arrays() {
    check(
        &[
            "(array 1 2 null)",
            "(array)",
            "(array 1 2L 1.5)",
            "(array 'a' 1)",
            "(array_append (array 1 2) 3L)",
            "(array_append (array 1) null)",
            "(array_append (cast null array<int>) 1)",
            "(array_append (array 1) 'a')",
            "(array_prepend (array 1 2) 3)",
            "(array_insert (array 1 2 3) 5 9)",
            "(array_insert (array 1 2 3) -1 9)",
            "(array_insert (array 1 2 3) -5 9)",
            "(array_insert (array 1 2 3) 1 9)",
            "(array_insert (array 1) null 1)",
            "(array_insert (array 1 2 3) 0 9)",
            "(array_insert (array 1 2 3) 2147483647 9)",
            "(array_insert (array 1 2 3) -2147483648 9)",
            "(array_repeat 'a' 2)",
            "(array_repeat 'a' -1)",
            "(array_repeat 'a' null)",
            "(array_repeat null 2)",
            "(array_repeat 'x' 2147483647)",
            "(arrays_zip (array 1 2) (array 'a'))",
            "(arrays_zip)",
            "(arrays_zip (array 1))",
            "(concat (array 1) (array 2L))",
            "(concat (array 1) null)",
            "(concat (array) (array 'a'))",
            "(concat 'a' 1 'b')",
            "(concat)",
            "(flatten (array (array 1) null))",
            "(flatten (array (array 1 2) (array 3)))",
            "(flatten (array (array)))",
            "(flatten (array 1))",
            "(reverse (array 1 null 2))",
            "(reverse 'abc')",
            "(reverse 12)",
            "(reverse null)",
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
            "(array_contains (array 1 2) 1L)",
            "(array_contains (array 1 null) 2)",
            "(array_contains (array 1) null)",
            "(array_contains (array 1) 'a')",
            "(array_contains (array NaND 0.0D) NaND)",
            "(array_contains (array 0.0D) -0.0D)",
            "(array_contains (array (array 1)) (array 1))",
            "(array_contains (array (map 1 2)) (map 1 2))",
            "(array_distinct (array 0.0D -0.0D NaND NaND null null))",
            "(array_distinct (array (array 1) (array 1)))",
            "(array_distinct 1)",
            "(array_except (array 1 2 2 null null) (array 2))",
            "(array_except (array 1 1 null) (array null))",
            "(array_except (array 1) (array 1L))",
            "(array_except (array 1) (array 'a'))",
            "(array_intersect (array 1 1 null 2) (array null 1))",
            "(array_union (array 1 1 null) (array null 2))",
            "(array_union (array 0.0D) (array -0.0D))",
            "(array_position (array 1 null) null)",
            "(array_position (array 1 null) 2)",
            "(array_position (array 1) 1L)",
            "(array_remove (array 1 null) null)",
            "(array_remove (array 1 2 3 null 3) 3)",
            "(arrays_overlap (array 1 null) (array 2))",
            "(arrays_overlap (array 1 null) (array 1))",
            "(arrays_overlap (array) (array null))",
            "(arrays_overlap (array 1) (array 2))",
            "(array_max (array 1 null 3))",
            "(array_max (array NaND 1D))",
            "(array_min (array NaND 1D))",
            "(array_min (array null))",
            "(array_max (array))",
            "(array_max (array (map 1 2)))",
            "(sort_array (array 3 null 1))",
            "(sort_array (array 3 null 1) false)",
            "(sort_array (array NaND 1D null))",
            "(sort_array (array 3 1) 'x')",
            "(array_compact (array 1 null 2))",
            "(array_join (array 'a' null 'b') ',')",
            "(array_join (array 'a' null 'b') ',' 'x')",
            "(array_join (array 'a') null)",
            "(array_join (array 1 2) ',')",
            "(slice (array 1 2 3) 2 2)",
            "(slice (array 1 2 3) -2 5)",
            "(slice (array 1 2 3) 5 1)",
            "(slice (array 1 2 3) -5 2)",
            "(slice (array 1 2) 1 0)",
            "(slice (array 1 2 3) 0 2)",
            "(slice (array 1 2 3) 1 -1)",
            "(shuffle (array 1))",
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
            [_LEGACY_ERROR_TEMP_2157] Unexpected value for start in function slice: SQL array indices start at 1.
            [_LEGACY_ERROR_TEMP_2052] Unexpected value for length in function slice: length must be greater than or equal to 0.
            [DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] "shuffle(array(1))" should be a constant.
        "#]],
    );
}

#[test]
fn elements_and_sizes() {
    let cases = [
        "(element_at (array 1 2) 1)",
        "(element_at (array 1 2) -1)",
        "(element_at (array 1 2) 3)",
        "(element_at (array 1 2) 0)",
        "(element_at (array 1 2) 1L)",
        "(element_at (map 1 'a') 2)",
        "(element_at (map 'a' 1) 'a')",
        "(element_at (map 1 'a') 'x')",
        "(try_element_at (array 1 2) 5)",
        "(try_element_at (map 'a' 1) 'b')",
        "(try_element_at (array 1 2) 0)",
        "([] (array 1 2) 0)",
        "([] (array 1 2) 5)",
        "([] (array 1 2) -1)",
        "([] (map 'a' 1) 'a')",
        "([] (map 'a' 1) 'b')",
        "([] (array 1 2) 'a')",
        "(get (array 1 2) 0)",
        "(get (array 1) -1)",
        "(. (named_struct 'a' 1) a)",
        "(. (array (named_struct 'a' 1) (named_struct 'a' 2)) a)",
        "(. (array (named_struct 'a' 1) null) a)",
        "(. (named_struct 'a' 1) b)",
        "(. (map 'x' 1) x)",
        "(size (array))",
        "(size (cast null array<int>))",
        "(size (map 1 2))",
        "(cardinality (array 1))",
        "(array_size null)",
        "(size null)",
        "(size 1)",
    ];
    check(
        &cases,
        expect![[r#"
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
    "#]],
    );
    check_ansi(
        &[
            "(element_at (array 1 2) 3)",
            "([] (array 1 2) 5)",
            "(get (array 1 2) 5)",
            "(element_at (map 1 'a') 2)",
            "(size (cast null array<int>))",
        ],
        expect![[r#"
        [INVALID_ARRAY_INDEX_IN_ELEMENT_AT] The index 3 is out of bounds. The array has 2 elements. Use `try_element_at` to tolerate accessing element at invalid index and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error.
        [INVALID_ARRAY_INDEX] The index 5 is out of bounds. The array has 2 elements. Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead. If necessary set "spark.sql.ansi.enabled" to "false" to bypass this error.
        get(array(1, 2), 5): int = NULL
        element_at(map(1, a), 2): string = NULL
        size(NULL): int = NULL
    "#]],
    );
}
