//! Maps, sequences and generators.

use expect_test::expect;

use super::check;

#[test]
fn maps_have_a_key_once() {
    check(
        &[
            "(map 1 'a' 2 null)",
            "(map)",
            "(map 1 1L 2L 2)",
            "(map 1 'a' 1 'b')",
            "(map null 1)",
            "(map 1 2 3)",
            "(map (map 1 2) 1)",
            "(map_concat (map 1 'a') (map 2 'b'))",
            "(map_concat)",
            "(map_concat (map 1 'a') null)",
            "(map_concat (map 1 'a') (map 1 'b'))",
            "(map_contains_key (map 1 'a') 1L)",
            "(map_entries (map 1 'a' 2 null))",
            "(map_from_arrays (array 1 2) (array 'a' null))",
            "(map_from_entries (array (struct 1 'a') (struct 2 'b')))",
            "(map_from_arrays (array 1 2) (array 'a'))",
            "(map_from_arrays (array 1 null) (array 'a' 'b'))",
            "(map_from_entries (array (struct 1 'a') null))",
            "(map_from_entries (array 1))",
            "(map_keys (map 1 'a'))",
            "(map_values (map 1 'a'))",
            "(map_keys null)",
            "(str_to_map 'a:1,b:2')",
            "(str_to_map 'a:1,b')",
            "(str_to_map 'a=1;b=2' ';' '=')",
            "(str_to_map '')",
            "(str_to_map null)",
            "(str_to_map 'a:1:2')",
            "(str_to_map 'a:1,a:2')",
            "(named_struct 'a' 1 'b' 'x')",
            "(struct 1 2)",
            "(named_struct 1 2)",
            "(named_struct 'a')",
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
            "(sequence 1 5)",
            "(sequence 5 1)",
            "(sequence 1 5 2)",
            "(sequence 1L 3)",
            "(sequence (cast 1 tinyint) 3)",
            "(sequence 1 null)",
            "(sequence 1 5 -1)",
            "(sequence 1 5 0)",
            "(sequence 1 1 0)",
            "(sequence 1 2147483647)",
            &one_month,
            "(sequence (cast '2020-01-01' date) (cast '2020-01-03' date))",
            "(sequence (cast '2020-01-03' date) (cast '2020-01-01' date))",
            "(sequence (cast '2020-03-07 12:00:00' timestamp) (cast '2020-03-10 12:00:00' timestamp) (cast '1' day))",
            "(sequence (cast '2020-03-07 12:00:00' timestamp) (cast '2020-03-07 15:00:00' timestamp) (cast '1' hour))",
            "(sequence (cast '2020-01-01' date) (cast '2020-01-02' date) (cast '12' hour))",
            "(sequence (cast '2020-01-01' date) (cast '2020-01-03 00:00:00' timestamp) (cast '1' day))",
            "(sequence (cast '2020-01-31' date) (cast '2020-05-31' date) (cast '2' month))",
            "(sequence 'a' 'b')",
        ],
        expect![[r#"
            sequence(1, 5): array<int>! = [1,2,3,4,5]
            sequence(5, 1): array<int>! = [5,4,3,2,1]
            sequence(1, 5, 2): array<int>! = [1,3,5]
            sequence(1, 3): array<bigint>! = [1,2,3]
            sequence(1, 3): array<int>! = [1,2,3]
            sequence(1, NULL): array<int> = NULL
            [java.lang.IllegalArgumentException] requirement failed: Illegal sequence boundaries: 1 to 5 by -1
            [java.lang.IllegalArgumentException] requirement failed: Illegal sequence boundaries: 1 to 5 by 0
            sequence(1, 1, 0): array<int>! = [1]
            [COLLECTION_SIZE_LIMIT_EXCEEDED] Too long sequence: 2147483647. Should be <= 134217728
            sequence(2020-01-31, 2020-04-30, 1): array<date> = [2020-01-31,2020-02-29,2020-03-31,2020-04-30]
            sequence(2020-01-01, 2020-01-03): array<date> = [2020-01-01,2020-01-02,2020-01-03]
            sequence(2020-01-03, 2020-01-01): array<date> = [2020-01-03,2020-01-02,2020-01-01]
            sequence(2020-03-07 12:00:00, 2020-03-10 12:00:00, 1): array<timestamp> = [2020-03-07 12:00:00,2020-03-08 12:00:00,2020-03-09 12:00:00,2020-03-10 12:00:00]
            sequence(2020-03-07 12:00:00, 2020-03-07 15:00:00, 1): array<timestamp> = [2020-03-07 12:00:00,2020-03-07 13:00:00,2020-03-07 14:00:00,2020-03-07 15:00:00]
            [java.lang.IllegalArgumentException] sequence step must be an interval day to second of day granularity if start and end values are dates
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
            "(explode (array 1 null))",
            "(explode_outer (array))",
            "(posexplode (map 'a' 1))",
            "(posexplode_outer (array 5))",
            "(explode (cast null array<int>))",
            "(explode_outer (cast null array<int>))",
            "(inline (array (struct 1 'x') null))",
            "(inline_outer (array (struct 1 'x')))",
            "(inline_outer (cast null array<int>))",
            "(stack 2 1 2 3)",
            "(stack 2 1 'a' null null)",
            "(stack 2 1 'a' 'x' 'b')",
            "(json_tuple '{\"a\":1,\"b\":\"x\",\"c\":{\"d\":1.50},\"e\":null,\"f\":[1, 2]}' 'a' 'b' 'c' 'e' 'f' 'z')",
            "(json_tuple 'bad' 'a')",
            "(bitmap_bit_position 1)",
            "(bitmap_bit_position -32769)",
            "(bitmap_bucket_number 32769)",
            "(bitmap_bucket_number -1)",
            "(bitmap_count (cast 'ab' binary))",
            "(explode 1)",
            "(explode null)",
            "(inline (array 1))",
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
