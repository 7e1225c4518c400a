use expect_test::expect;

use super::{check, check_aggregates};

#[test]
fn lambdas_over_arrays() {
    check(
        &[
            "(transform (array 1 2 null) (-> (x) (+ x 1)))", "(transform (array 1 2) (-> (x i) (+ x i)))",
            "(transform (cast null array<int>) (-> (x) x))", "(transform (array 1) (-> (x) 'a'))", "(transform (array) (-> (x) x))",
            "(transform (array 1) 1)", "(transform (array 1) (-> (x y z) x))", "(transform 1 (-> (x) x))",
            "(transform (array (array 1 2) (array 3)) (-> (x) (transform x (-> (y) (+ y (size x))))))",
            "(filter (array 1 2 3 null) (-> (x) (> x 1)))", "(filter (array 0 2 3) (-> (x i) (> x i)))", "(filter (array 1) (-> (x) x))",
            "(filter (array 1 2) (-> (x) null))",
            "(exists (array 1 null) (-> (x) (> x 1)))", "(exists (array 1 2) (-> (x) (> x 1)))", "(forall (array 1 null) (-> (x) (> x 0)))",
            "(forall (array 1 2) (-> (x) (> x 0)))", "(exists (array 1) (-> (x) null))",
            "(aggregate (array 1 2 3) 0 (-> (a x) (+ a x)))", "(reduce (array 1 2 3) 0 (-> (a x) (+ a x)) (-> (a) (* a 10)))",
            "(aggregate (array 1 2) 0L (-> (a x) (+ a x)))", "(aggregate (cast null array<int>) 0 (-> (a x) (+ a x)))",
            "(aggregate (array 1 2) 0 (-> (a x) (+ (+ a x) 1L)))",
            "(zip_with (array 1) (array 2 3) (-> (x y) (+ x y)))", "(zip_with (cast null array<int>) (array 1) (-> (x y) 1))",
            "(array_sort (array 3 1 2 5 4) (-> (a b) (- b a)))", "(array_sort (array 3 1 2) (-> (a b) null))",
            "(array_sort (array 3 1 2) (-> (a b) (cast null int)))", "(array_sort (array 3 1 2) (-> (a b) 1L))",
            "(array_sort (array 3 null 1))",
        ],
        expect![[r#""#]],
    );
}

#[test]
fn lambdas_over_maps() {
    check(
        &[
            "(transform_keys (map 1 'a' 2 'b') (-> (k v) (+ k 1)))", "(transform_keys (map 1 'a' 2 'b') (-> (k v) 1))",
            "(transform_keys (map 1 'a' 2 'b') (-> (k v) null))", "(transform_values (map 1 'a') (-> (k v) (concat v k)))",
            "(map_filter (map 1 2 3 1) (-> (k v) (> k v)))", "(map_zip_with (map 1 'a') (map 1L 'b') (-> (k a b) k))",
            "(map_zip_with (map 1 'a' 2 'b') (map 1 'x' 3 'y') (-> (k a b) (array a b)))",
            "(map_zip_with (map 1 'a') (map 'x' 'b') (-> (k a b) k))",
        ],
        expect![[r#""#]],
    );
}

#[test]
fn lambdas_see_the_columns_around_them() {
    check_aggregates(
        &["1 10 null", "(array 1 2) (array) (array 5)"],
        &["(transform b (-> (x) (+ x a)))", "(aggregate b a (-> (s x) (+ s x)))", "(transform b (-> (x) (transform b (-> (y) (+ (+ x y) a)))))"],
        expect![[r#""#]],
    );
}
