//! Functions of lambdas.

use expect_test::expect;

use super::{check, check_aggregates};

#[test]
fn lambdas_over_arrays() {
    check(
        &[
            "(transform (array 1 2 null) (-> (x) (+ x 1)))",
            "(transform (array 1 2) (-> (x i) (+ x i)))",
            "(transform (cast null array<int>) (-> (x) x))",
            "(transform (array 1) (-> (x) 'a'))",
            "(transform (array) (-> (x) x))",
            "(transform (array 1) 1)",
            "(transform (array 1) (-> (x y z) x))",
            "(transform 1 (-> (x) x))",
            "(transform (array (array 1 2) (array 3)) (-> (x) (transform x (-> (y) (+ y (size x))))))",
            "(filter (array 1 2 3 null) (-> (x) (> x 1)))",
            "(filter (array 0 2 3) (-> (x i) (> x i)))",
            "(filter (array 1) (-> (x) x))",
            "(filter (array 1 2) (-> (x) null))",
            "(exists (array 1 null) (-> (x) (> x 1)))",
            "(exists (array 1 2) (-> (x) (> x 1)))",
            "(forall (array 1 null) (-> (x) (> x 0)))",
            "(forall (array 1 2) (-> (x) (> x 0)))",
            "(exists (array 1) (-> (x) null))",
            "(aggregate (array 1 2 3) 0 (-> (a x) (+ a x)))",
            "(reduce (array 1 2 3) 0 (-> (a x) (+ a x)) (-> (a) (* a 10)))",
            "(aggregate (array 1 2) 0L (-> (a x) (+ a x)))",
            "(aggregate (cast null array<int>) 0 (-> (a x) (+ a x)))",
            "(aggregate (array 1 2) 0 (-> (a x) (+ (+ a x) 1L)))",
            "(zip_with (array 1) (array 2 3) (-> (x y) (+ x y)))",
            "(zip_with (cast null array<int>) (array 1) (-> (x y) 1))",
            "(array_sort (array 3 1 2 5 4) (-> (a b) (- b a)))",
            "(array_sort (array 3 1 2) (-> (a b) null))",
            "(array_sort (array 3 1 2) (-> (a b) (cast null int)))",
            "(array_sort (array 3 1 2) (-> (a b) 1L))",
            "(array_sort (array 3 null 1))",
        ],
        expect![[r#"
            transform(array(1, 2, NULL), lambdafunction((namedlambdavariable() + 1), namedlambdavariable())): array<int>! = [2,3,null]
            transform(array(1, 2), lambdafunction((namedlambdavariable() + namedlambdavariable()), namedlambdavariable(), namedlambdavariable())): array<int>! = [1,3]
            transform(NULL, lambdafunction(namedlambdavariable(), namedlambdavariable())): array<int> = NULL
            transform(array(1), lambdafunction(a, namedlambdavariable())): array<string>! = ["a"]
            transform(array(), lambdafunction(namedlambdavariable(), namedlambdavariable())): array<void>! = []
            transform(array(1), lambdafunction(1, namedlambdavariable())): array<int>! = [1]
            [INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH] Invalid lambda function call. A higher order function expects 3 arguments, but got 1.
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "transform(1)" due to data type mismatch: Parameter 1 requires the "ARRAY" type, however "1" has the type "INT".
            transform(array(array(1, 2), array(3)), lambdafunction(transform(namedlambdavariable(), lambdafunction((namedlambdavariable() + size(namedlambdavariable())), namedlambdavariable())), namedlambdavariable())): array<array<int>>! = [[3,4],[4]]
            filter(array(1, 2, 3, NULL), lambdafunction((namedlambdavariable() > 1), namedlambdavariable())): array<int>! = [2,3]
            filter(array(0, 2, 3), lambdafunction((namedlambdavariable() > namedlambdavariable()), namedlambdavariable(), namedlambdavariable())): array<int>! = [2,3]
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "filter(array(1), lambdafunction(namedlambdavariable(), namedlambdavariable()))" due to data type mismatch: Parameter 2 requires the "BOOLEAN" type, however "lambdafunction(namedlambdavariable(), namedlambdavariable())" has the type "INT".
            filter(array(1, 2), lambdafunction(NULL, namedlambdavariable())): array<int>! = []
            exists(array(1, NULL), lambdafunction((namedlambdavariable() > 1), namedlambdavariable())): boolean = NULL
            exists(array(1, 2), lambdafunction((namedlambdavariable() > 1), namedlambdavariable())): boolean! = true
            forall(array(1, NULL), lambdafunction((namedlambdavariable() > 0), namedlambdavariable())): boolean = NULL
            forall(array(1, 2), lambdafunction((namedlambdavariable() > 0), namedlambdavariable())): boolean! = true
            exists(array(1), lambdafunction(NULL, namedlambdavariable())): boolean = NULL
            aggregate(array(1, 2, 3), 0, lambdafunction((namedlambdavariable() + namedlambdavariable()), namedlambdavariable(), namedlambdavariable()), lambdafunction(namedlambdavariable(), namedlambdavariable())): int = 6
            reduce(array(1, 2, 3), 0, lambdafunction((namedlambdavariable() + namedlambdavariable()), namedlambdavariable(), namedlambdavariable()), lambdafunction((namedlambdavariable() * 10), namedlambdavariable())): int = 60
            aggregate(array(1, 2), 0, lambdafunction((namedlambdavariable() + namedlambdavariable()), namedlambdavariable(), namedlambdavariable()), lambdafunction(namedlambdavariable(), namedlambdavariable())): bigint = 3
            aggregate(NULL, 0, lambdafunction((namedlambdavariable() + namedlambdavariable()), namedlambdavariable(), namedlambdavariable()), lambdafunction(namedlambdavariable(), namedlambdavariable())): int = NULL
            [DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "aggregate(array(1, 2), 0, lambdafunction(((namedlambdavariable() + namedlambdavariable()) + 1), namedlambdavariable(), namedlambdavariable()))" due to data type mismatch: Parameter 3 requires the "INT" type, however "lambdafunction(((namedlambdavariable() + namedlambdavariable()) + 1), namedlambdavariable(), namedlambdavariable())" has the type "BIGINT".
            zip_with(array(1), array(2, 3), lambdafunction((namedlambdavariable() + namedlambdavariable()), namedlambdavariable(), namedlambdavariable())): array<int>! = [3,null]
            zip_with(NULL, array(1), lambdafunction(1, namedlambdavariable(), namedlambdavariable())): array<int> = NULL
            array_sort(array(3, 1, 2, 5, 4), lambdafunction((namedlambdavariable() - namedlambdavariable()), namedlambdavariable(), namedlambdavariable())): array<int>! = [5,4,3,2,1]
            [DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE] Cannot resolve "array_sort(array(3, 1, 2), lambdafunction(NULL, namedlambdavariable(), namedlambdavariable()))" due to data type mismatch: The `lambdafunction` requires return "INT" type, but the actual is "VOID" type.
            [COMPARATOR_RETURNS_NULL] The comparator has returned a NULL for a comparison between two elements. It should return a positive integer for "greater than", 0 for "equal" and a negative integer for "less than".
            [DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE] Cannot resolve "array_sort(array(3, 1, 2), lambdafunction(1, namedlambdavariable(), namedlambdavariable()))" due to data type mismatch: The `lambdafunction` requires return "INT" type, but the actual is "BIGINT" type.
            array_sort(array(3, NULL, 1), lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, (IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, (IF((namedlambdavariable() < namedlambdavariable()), -1, (IF((namedlambdavariable() > namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), namedlambdavariable())): array<int>! = [1,3,null]
        "#]],
    );
}

#[test]
fn lambdas_over_maps() {
    check(
        &[
            "(transform_keys (map 1 'a' 2 'b') (-> (k v) (+ k 1)))",
            "(transform_keys (map 1 'a' 2 'b') (-> (k v) 1))",
            "(transform_keys (map 1 'a' 2 'b') (-> (k v) null))",
            "(transform_values (map 1 'a') (-> (k v) (concat v k)))",
            "(map_filter (map 1 2 3 1) (-> (k v) (> k v)))",
            "(map_zip_with (map 1 'a') (map 1L 'b') (-> (k a b) k))",
            "(map_zip_with (map 1 'a' 2 'b') (map 1 'x' 3 'y') (-> (k a b) (array a b)))",
            "(map_zip_with (map 1 'a') (map 'x' 'b') (-> (k a b) k))",
        ],
        expect![[r#"
            transform_keys(map(1, a, 2, b), lambdafunction((namedlambdavariable() + 1), namedlambdavariable(), namedlambdavariable())): map<int,string>! = {2:"a",3:"b"}
            [DUPLICATED_MAP_KEY] Duplicate map key 1 was found, please check the input data. If you want to remove the duplicated keys, you can set "spark.sql.mapKeyDedupPolicy" to "LAST_WIN" so that the key inserted at last takes precedence.
            [NULL_MAP_KEY] Cannot use null as map key.
            transform_values(map(1, a), lambdafunction(concat(namedlambdavariable(), namedlambdavariable()), namedlambdavariable(), namedlambdavariable())): map<int,string>! = {1:"a1"}
            map_filter(map(1, 2, 3, 1), lambdafunction((namedlambdavariable() > namedlambdavariable()), namedlambdavariable(), namedlambdavariable())): map<int,int>! = {3:1}
            map_zip_with(map(1, a), map(1, b), lambdafunction(namedlambdavariable(), namedlambdavariable(), namedlambdavariable(), namedlambdavariable())): map<bigint,bigint>! = {1:1}
            map_zip_with(map(1, a, 2, b), map(1, x, 3, y), lambdafunction(array(namedlambdavariable(), namedlambdavariable()), namedlambdavariable(), namedlambdavariable(), namedlambdavariable())): map<int,array<string>>! = {1:["a","x"],2:["b",null],3:[null,"y"]}
            map_zip_with(map(1, a), map(x, b), lambdafunction(namedlambdavariable(), namedlambdavariable(), namedlambdavariable(), namedlambdavariable())): map<string,string>! = {"1":"1","x":"x"}
        "#]],
    );
}

#[test]
fn lambdas_see_the_columns_around_them() {
    check_aggregates(
        &["1 10 null", "(array 1 2) (array) (array 5)"],
        &[
            "(transform b (-> (x) (+ x a)))",
            "(aggregate b a (-> (s x) (+ s x)))",
            "(transform b (-> (x) (transform b (-> (y) (+ (+ x y) a)))))",
        ],
        expect![[r#"
            transform(b, lambdafunction((namedlambdavariable() + a), namedlambdavariable())): array<int>! = [2,3] | [] | [null]
            aggregate(b, a, lambdafunction((namedlambdavariable() + namedlambdavariable()), namedlambdavariable(), namedlambdavariable()), lambdafunction(namedlambdavariable(), namedlambdavariable())): int = 4 | 10 | NULL
            transform(b, lambdafunction(transform(b, lambdafunction(((namedlambdavariable() + namedlambdavariable()) + a), namedlambdavariable())), namedlambdavariable())): array<array<int>>! = [[3,4],[4,5]] | [] | [[null]]
        "#]],
    );
}
