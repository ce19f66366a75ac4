//! Least squares on sums of products: everything a fit needs of its rows, so that blocks of rows can be added and left out.

/// Times the largest of its diagonal, below which a pivot is taken for 0.
const PIVOT_SHARE_MIN: f64 = 1e-12;

/// Weighted sums of products of columns with each other: symmetric, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    width: usize,
    cells: Vec<f64>,
}

impl Sums {
    /// Of no rows.
    pub fn new(width: usize) -> Sums {
        Sums { width, cells: vec![0.0; width * width] }
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Of two columns.
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.width + column]
    }

    /// Adds to one of them.
    pub fn add_at(&mut self, row: usize, column: usize, value: f64) {
        self.cells[row * self.width + column] += value;
    }

    /// Takes in a row.
    pub fn take(&mut self, row: &[f64], weight: f64) {
        for (index, value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            let weighted = weight * value;
            let cells = &mut self.cells[index * self.width..(index + 1) * self.width];
            cells.iter_mut().zip(row).for_each(|(cell, other)| *cell += weighted * other);
        }
    }

    /// Takes in all rows of another.
    pub fn merge(&mut self, other: &Sums) {
        self.cells.iter_mut().zip(&other.cells).for_each(|(cell, other)| *cell += other);
    }

    /// Of other columns, each a weighted sum of these.
    pub fn mapped(&self, map: &[Vec<f64>]) -> Sums {
        let mut mapped = Sums::new(map.len());
        for (row, left) in map.iter().enumerate() {
            let products: Vec<f64> = (0..self.width)
                .map(|column| {
                    left.iter().enumerate().map(|(index, part)| part * self.at(index, column)).sum()
                })
                .collect();
            for (column, right) in map.iter().enumerate() {
                let value = products.iter().zip(right).map(|(product, part)| product * part).sum();
                mapped.add_at(row, column, value);
            }
        }
        mapped
    }
}

/// The solution of `matrix * x = right` over the columns in `free`, the others 0, by Cholesky; a column that adds nothing
/// to those before it is 0 too.
fn solve(matrix: &Sums, right: &[f64], free: &[usize]) -> Vec<f64> {
    let size = free.len();
    let mut lower = vec![0.0; size * size];
    let largest = free.iter().map(|index| matrix.at(*index, *index)).fold(0.0, f64::max);
    for row in 0..size {
        for column in 0..=row {
            let before: f64 = (0..column).map(|k| lower[row * size + k] * lower[column * size + k]).sum();
            let rest = matrix.at(free[row], free[column]) - before;
            let pivot = lower[column * size + column];
            lower[row * size + column] = match (row == column, rest > largest * PIVOT_SHARE_MIN) {
                (true, true) => rest.sqrt(),
                (true, false) => 0.0,
                _ if pivot > 0.0 => rest / pivot,
                _ => 0.0,
            };
        }
    }
    let divide = |value: f64, pivot: f64| if pivot > 0.0 { value / pivot } else { 0.0 };
    let mut half = vec![0.0; size];
    for row in 0..size {
        let before: f64 = (0..row).map(|k| lower[row * size + k] * half[k]).sum();
        half[row] = divide(right[free[row]] - before, lower[row * size + row]);
    }
    let mut solution = vec![0.0; right.len()];
    for row in (0..size).rev() {
        let after: f64 = (row + 1..size).map(|k| lower[k * size + row] * solution[free[k]]).sum();
        solution[free[row]] = divide(half[row] - after, lower[row * size + row]);
    }
    solution
}

/// The `x`, none of it negative, that minimises `x'Mx - 2x'r`: Lawson's and Hanson's active set ("Solving least squares
/// problems", 1974) on normal equations. Columns may be of any size.
pub fn nnls(matrix: &Sums, right: &[f64]) -> Vec<f64> {
    let width = right.len();
    let scale: Vec<f64> =
        (0..width).map(|index| matrix.at(index, index).max(f64::MIN_POSITIVE).sqrt()).collect();
    let mut scaled = Sums::new(width);
    for row in 0..width {
        (0..width).for_each(|column| {
            scaled.add_at(row, column, matrix.at(row, column) / scale[row] / scale[column])
        });
    }
    let right: Vec<f64> = right.iter().zip(&scale).map(|(value, scale)| value / scale).collect();
    let tolerance = 1e-10 * right.iter().fold(0f64, |most, value| most.max(value.abs()));
    let mut x = vec![0.0; width];
    let mut free: Vec<usize> = Vec::new();
    // Each round frees one column; it ends long before this, and this is where it ends at the latest.
    for _ in 0..4 * width {
        let slope = |index: usize| right[index] - (0..width).map(|k| scaled.at(index, k) * x[k]).sum::<f64>();
        let next = (0..width)
            .filter(|index| !free.contains(index))
            .map(|index| (slope(index), index))
            .max_by(|one, other| one.0.total_cmp(&other.0));
        match next {
            Some((slope, index)) if slope > tolerance => free.push(index),
            _ => break,
        }
        settle(&scaled, &right, &mut free, &mut x);
    }
    x.iter().zip(&scale).map(|(value, scale)| value / scale).collect()
}

/// Moves to the best over the free columns, and binds again each that would become negative on the way.
fn settle(matrix: &Sums, right: &[f64], free: &mut Vec<usize>, x: &mut [f64]) {
    while !free.is_empty() {
        let aim = solve(matrix, right, free);
        let step = free
            .iter()
            .filter(|index| aim[**index] <= 0.0)
            .map(|index| x[*index] / (x[*index] - aim[*index]).max(f64::MIN_POSITIVE))
            .fold(1.0, f64::min);
        free.iter().for_each(|index| x[*index] += step * (aim[*index] - x[*index]));
        let before = free.len();
        free.retain(|index| aim[*index] > 0.0 || x[*index] > 1e-12);
        (0..x.len()).filter(|index| !free.contains(index)).for_each(|index| x[index] = 0.0);
        if step >= 1.0 || free.len() == before {
            return x.iter_mut().for_each(|value| *value = value.max(0.0));
        }
    }
}

/// The diagonal of the inverse of a matrix with ones on its diagonal, such as correlations: variance inflation factors.
/// Columns that follow from others have one that is very large, never one that is infinite.
pub fn inflation(correlations: &Sums) -> Vec<f64> {
    let width = correlations.width();
    let mut steadied = correlations.clone();
    (0..width).for_each(|index| steadied.add_at(index, index, 1e-9));
    let all: Vec<usize> = (0..width).collect();
    let unit = |index: usize| (0..width).map(|k| f64::from(u8::from(k == index))).collect::<Vec<f64>>();
    (0..width).map(|index| solve(&steadied, &unit(index), &all)[index].max(1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sums(rows: &[Vec<f64>]) -> (Sums, Vec<f64>) {
        let width = rows[0].len() - 1;
        let mut all = Sums::new(width + 1);
        rows.iter().for_each(|row| all.take(row, 1.0));
        let mut matrix = Sums::new(width);
        (0..width)
            .for_each(|row| (0..width).for_each(|column| matrix.add_at(row, column, all.at(row, column))));
        (matrix, (0..width).map(|row| all.at(row, width)).collect())
    }

    #[test]
    fn least_squares_without_negatives() {
        let check = |rows: &[Vec<f64>], expect: &[f64]| {
            let (matrix, right) = sums(rows);
            let found = nnls(&matrix, &right);
            let is_near = found.iter().zip(expect).all(|(one, other)| (one - other).abs() < 1e-9);
            assert!(is_near, "{found:?}");
        };
        check(&[vec![1.0, 0.0, 3.0], vec![1.0, 1.0, 5.0], vec![1.0, 2.0, 7.0]], &[3.0, 2.0]);
        // Falls: the best that does not is the mean.
        check(&[vec![1.0, 0.0, 3.0], vec![1.0, 1.0, 2.0], vec![1.0, 2.0, 1.0]], &[2.0, 0.0]);
        check(&[vec![1.0, 0.0, -3.0], vec![1.0, 1.0, -2.0]], &[0.0, 0.0]);
        // Columns of very different size, and one that is not there.
        check(&[vec![1e3, 0.0, 0.0, 1e3], vec![0.0, 1e-3, 0.0, 2e-3]], &[1.0, 2.0, 0.0]);
    }

    #[test]
    fn columns_that_follow_from_others() {
        let mut correlations = Sums::new(3);
        (0..3).for_each(|index| correlations.add_at(index, index, 1.0));
        assert!(inflation(&correlations).iter().all(|factor| (factor - 1.0).abs() < 1e-6));
        for (row, column) in [(0, 1), (1, 0)] {
            correlations.add_at(row, column, 1.0);
        }
        let factors = inflation(&correlations);
        assert!(factors[0] > 1e6 && factors[1] > 1e6 && factors[2] < 1.1, "{factors:?}");
    }

    proptest! {
        /// Kuhn's and Tucker's conditions: no column could be moved for the better.
        #[test]
        fn the_best_that_is_not_negative(
            rows in prop::collection::vec(prop::collection::vec(-100f64..100.0, 5), 5..30),
        ) {
            let (matrix, right) = sums(&rows);
            let found = nnls(&matrix, &right);
            let largest = right.iter().fold(1f64, |most, value| most.max(value.abs()));
            for index in 0..right.len() {
                let slope = right[index] - (0..right.len()).map(|k| matrix.at(index, k) * found[k]).sum::<f64>();
                prop_assert!(found[index] >= 0.0);
                prop_assert!(slope <= 1e-5 * largest, "{found:?} {slope}");
                prop_assert!(found[index] == 0.0 || slope >= -1e-5 * largest, "{found:?} {slope}");
            }
        }
    }
}
