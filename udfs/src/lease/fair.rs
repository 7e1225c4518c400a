//! Max-min fairness in whole units: who wants little gets it, the others get equal parts of what is left.

/// The most that each gets who wants more, and how many of those get one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Level {
    pub most: u32,
    pub one_more: usize,
}

pub(super) fn level(mut wants: Vec<u32>, total: u32) -> Level {
    wants.sort_unstable();
    let mut left = total;
    for (index, want) in wants.iter().enumerate() {
        let those = wants.len() - index;
        let part = left as usize / those;
        if *want as usize > part {
            return Level { most: part as u32, one_more: left as usize % those };
        }
        left -= want;
    }
    Level { most: u32::MAX, one_more: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wants_little_gets_it_and_the_rest_is_cut_evenly() {
        let cut = |wants: &[u32], total| {
            let level = level(wants.to_vec(), total);
            (level.most, level.one_more)
        };
        assert_eq!(cut(&[u32::MAX; 3], 5000), (1666, 2));
        assert_eq!(cut(&[u32::MAX, 10, 0], 100), (90, 0));
        assert_eq!(cut(&[3, 4], 100), (u32::MAX, 0));
        assert_eq!(cut(&[1; 30], 7), (0, 7));
        assert_eq!(cut(&[], 7), (u32::MAX, 0));
    }
}
