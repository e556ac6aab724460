//! Logistic regression over texts that have features or do not.
//!
//! Proximal gradient with momentum (Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm", 2009),
//! begun anew whenever the momentum points uphill (O'Donoghue and Candès, 2015). Each column has a step of its own,
//! from a bound on the curvature that holds column by column, because a word of every text and one of three texts
//! differ ten-thousandfold. The bias is not penalised.

use redshank_matcher::LEAST_SIGNS;

/// How often a line of progress is told, in steps.
const TOLD_EVERY: usize = 50;
/// The steepest that the logistic function rises.
const STEEPEST: f64 = 0.25;

/// Texts by the columns that they have. What a text has counts together as the sum of its weights divided by the root of
/// their number, of at least [`LEAST_SIGNS`], as the engine balances signs: many words say more than few, but not so many
/// times more, and one word alone says little.
#[derive(Debug)]
pub struct Problem {
    /// The columns of each text, each once.
    pub rows: Vec<Vec<u32>>,
    /// Which texts are to be found.
    pub positive: Vec<bool>,
    /// How much each text counts, above 0.
    pub weights: Vec<f64>,
    /// How many columns there are.
    pub columns: usize,
}

/// What a weight costs beside the errors: half so much times its square.
#[derive(Debug, Clone, Copy)]
pub struct Penalty(pub f64);

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// After so many steps, …
    pub steps: usize,
    /// … or when no weight moves by more.
    pub still: f64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The weight of each column.
    pub weights: Vec<f64>,
    /// What a text without any column has.
    pub bias: f64,
}

impl Problem {
    /// Gives the same texts with these columns alone, numbered in the order given.
    #[must_use]
    pub fn only(&self, kept: &[usize]) -> Self {
        let mut number = vec![None; self.columns];
        for (new, old) in (0_u32..).zip(kept) {
            if let Some(it) = number.get_mut(*old) {
                *it = Some(new);
            }
        }
        let row = |row: &Vec<u32>| row.iter().filter_map(|it| number[*it as usize]).collect();
        Self {
            rows: self.rows.iter().map(row).collect(),
            positive: self.positive.clone(),
            weights: self.weights.clone(),
            columns: kept.len(),
        }
    }

    /// Gives how much the texts of each column count together.
    #[must_use]
    pub fn uses(&self) -> Vec<f64> {
        let mut uses = vec![0.0; self.columns];
        for (row, weight) in self.rows.iter().zip(&self.weights) {
            row.iter().for_each(|column| uses[*column as usize] += weight);
        }
        uses
    }

    /// Adds up a number of each text over the columns that it has, each by the share that it has in the text.
    fn per_column(&self, of: impl Fn(usize, f64) -> f64) -> Fit {
        let mut sum = Fit::zero(self.columns);
        for (at, (row, weight)) in self.rows.iter().zip(&self.weights).enumerate() {
            let number = of(at, *weight);
            sum.bias += number;
            let number = number * share(row);
            for column in row {
                sum.weights[*column as usize] += number;
            }
        }
        sum
    }

    /// Gives how the errors grow with each weight, at a point.
    fn gradient(&self, at: &Fit) -> Fit {
        self.per_column(|index, weight| {
            let expected = 1.0 / (1.0 + (-at.score(&self.rows[index])).exp());
            weight * (expected - f64::from(u8::from(self.positive[index])))
        })
    }

    /// Bounds how fast the gradient grows with each weight, whatever the others do: the square of a sum of shares is at
    /// most the sum of the shares times the sum of shares of squares.
    fn curvature(&self) -> Fit {
        self.per_column(|index, weight| {
            let row = &self.rows[index];
            STEEPEST * weight * (1.0 + number(row.len()) * share(row))
        })
    }
}

/// Gives what each column of a text counts in it.
fn share(row: &[u32]) -> f64 {
    1.0 / number(row.len().max(LEAST_SIGNS)).sqrt()
}

/// Gives what weights count together in a text.
#[must_use]
pub fn balanced(weights: &[f64]) -> f64 {
    weights.iter().sum::<f64>() / number(weights.len().max(LEAST_SIGNS)).sqrt()
}

impl Penalty {
    /// Gives the weight that is best near `weight` if moving from there costs `curvature`.
    fn shrink(self, weight: f64, curvature: f64) -> f64 {
        weight / (1.0 + self.0 / curvature)
    }
}

impl Fit {
    fn zero(columns: usize) -> Self {
        Self { weights: vec![0.0; columns], bias: 0.0 }
    }

    /// Gives the log-odds of a text.
    fn score(&self, row: &[u32]) -> f64 {
        let sum: f64 = row.iter().map(|it| self.weights[*it as usize]).sum();
        self.bias + sum * share(row)
    }
}

/// Finds the weights with the least errors and cost.
pub fn fit(problem: &Problem, penalty: Penalty, limits: Limits, tell: &mut dyn FnMut(&str)) -> Fit {
    let curvature = problem.curvature();
    let mut best = Fit::zero(problem.columns);
    let mut ahead = best.clone();
    let mut momentum = 1.0_f64;
    for step in 1..=limits.steps {
        let slope = problem.gradient(&ahead);
        let next = descend(&ahead, &slope, &curvature, penalty);
        let uphill = dot(&curvature, &ahead, &next, &best) > 0.0;
        let moved = furthest(&best, &next);
        let grown =
            if uphill { 1.0 } else { (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt()) / 2.0 };
        let push = if uphill { 0.0 } else { (momentum - 1.0) / grown };
        ahead = between(&best, &next, push);
        (best, momentum) = (next, grown);
        if step % TOLD_EVERY == 0 || moved < limits.still {
            let some = best.weights.iter().filter(|it| **it != 0.0).count();
            tell(&format!("step {step}, {some} weights, moved {moved:.5}, bias {:.3}", best.bias));
        }
        if moved < limits.still && !uphill {
            break;
        }
    }
    best
}

/// Goes one step downhill, each weight by its own step.
fn descend(from: &Fit, slope: &Fit, curvature: &Fit, penalty: Penalty) -> Fit {
    let all = from.weights.iter().zip(&slope.weights).zip(&curvature.weights);
    let one = |((weight, slope), curvature): ((&f64, &f64), &f64)| {
        // A column that no text has stays without weight.
        if *curvature == 0.0 { 0.0 } else { penalty.shrink(weight - slope / curvature, *curvature) }
    };
    let bias = if curvature.bias == 0.0 { 0.0 } else { from.bias - slope.bias / curvature.bias };
    Fit { weights: all.map(one).collect(), bias }
}

/// Says whether the last move went against the one that the step at `ahead` wants: above 0.
fn dot(curvature: &Fit, ahead: &Fit, next: &Fit, best: &Fit) -> f64 {
    let mut sum = curvature.bias * (ahead.bias - next.bias) * (next.bias - best.bias);
    for (column, scale) in curvature.weights.iter().enumerate() {
        let (from, to, before) =
            (ahead.weights[column], next.weights[column], best.weights[column]);
        sum += scale * (from - to) * (to - before);
    }
    sum
}

/// Gives how far the weight moved that moved most.
fn furthest(from: &Fit, to: &Fit) -> f64 {
    let each = from.weights.iter().zip(&to.weights).map(|(from, to)| (to - from).abs());
    each.fold((to.bias - from.bias).abs(), f64::max)
}

/// Goes on past `to` by a share of the way from `from`.
fn between(from: &Fit, to: &Fit, push: f64) -> Fit {
    let each = from.weights.iter().zip(&to.weights);
    Fit {
        weights: each.map(|(from, to)| to + push * (to - from)).collect(),
        bias: to.bias + push * (to.bias - from.bias),
    }
}

/// Counts of columns are far below 2⁵², where a float is exact.
#[expect(clippy::cast_precision_loss, reason = "counts of columns are small")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Limits = Limits { steps: 20_000, still: 1e-10 };

    #[test]
    fn what_can_be_told_apart_is() {
        let fit = solve(&small(), Penalty(0.1));
        for (row, positive) in small().rows.iter().zip(small().positive) {
            assert_eq!(fit.score(row) > 0.0, positive, "{row:?}: {}", fit.score(row));
        }
    }

    #[test]
    fn at_the_best_weights_the_slope_is_what_they_cost() {
        let problem = small();
        let fit = solve(&problem, Penalty(0.5));
        let slope = problem.gradient(&fit);
        assert!(slope.bias.abs() < 1e-6);
        for (weight, slope) in fit.weights.iter().zip(&slope.weights) {
            assert!((slope + 0.5 * weight).abs() < 1e-6, "{weight} {slope}");
        }
    }

    #[test]
    fn a_text_of_weight_two_is_two_texts() {
        let mut twice = small();
        twice.rows.push(twice.rows[0].clone());
        twice.positive.push(twice.positive[0]);
        twice.weights.push(1.0);
        let mut heavy = small();
        heavy.weights[0] = 2.0;
        let (twice, heavy) = (solve(&twice, Penalty(0.5)), solve(&heavy, Penalty(0.5)));
        assert!(furthest(&twice, &heavy) < 1e-6, "{twice:?} {heavy:?}");
    }

    #[test]
    fn columns_can_be_left_out() {
        let only = small().only(&[0, 3]);
        assert_eq!(only.rows[0], [0, 1]);
        assert_eq!(only.columns, 2);
        assert_eq!(only.uses(), [3.0, 3.0]);
    }

    /// Column 0 is for, 1 against, 2 and 3 say nothing; of column 4 there is no text.
    fn small() -> Problem {
        Problem {
            rows: vec![vec![0, 3], vec![0, 2], vec![0, 2, 3], vec![1, 2], vec![1, 3], vec![2]],
            positive: vec![true, true, true, false, false, false],
            weights: vec![1.0; 6],
            columns: 5,
        }
    }

    fn solve(problem: &Problem, penalty: Penalty) -> Fit {
        fit(problem, penalty, EXACT, &mut |_| ())
    }
}
