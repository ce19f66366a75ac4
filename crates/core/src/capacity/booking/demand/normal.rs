//! The normal distribution.

/// The quantile of the standard normal distribution at `p` between 0 and 1: Acklam's rational approximation (2003), off by
/// less than 1.2 * 10⁻⁹ relative; infinite at the ends.
pub fn quantile_z(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e1,
        2.209460984245205e2,
        -2.759285104469687e2,
        1.38357751867269e2,
        -3.066479806614716e1,
        2.506628277459239,
    ];
    const B: [f64; 5] = [
        -5.447609879822406e1,
        1.615858368580409e2,
        -1.556989798598866e2,
        6.680131188771972e1,
        -1.328068155288572e1,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-3,
        -3.223964580411365e-1,
        -2.400758277161838,
        -2.549732539343734,
        4.374664141464968,
        2.938163982698783,
    ];
    const D: [f64; 4] = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416];
    const TAIL: f64 = 0.02425;
    let horner = |of: &[f64], x: f64| of.iter().fold(0.0, |sum, it| sum * x + it);
    if p <= 0.0 {
        f64::NEG_INFINITY
    } else if p >= 1.0 {
        f64::INFINITY
    } else if p < TAIL {
        let q = (-2.0 * p.ln()).sqrt();
        horner(&C, q) / (horner(&D, q) * q + 1.0)
    } else if p > 1.0 - TAIL {
        -quantile_z(1.0 - p)
    } else {
        let q = p - 0.5;
        let r = q * q;
        horner(&A, r) * q / (horner(&B, r) * r + 1.0)
    }
}

/// The chance that a normal amount is above its mean by more than `above`, which is 0 or more; for a deviation of 0 it is
/// 0 unless there is nothing above. By the continued fraction of Mills' ratio from `z = 3` on, below it by the series of
/// Marsaglia (2004).
pub fn chance_above(above: f64, deviation: f64) -> f64 {
    if deviation <= 0.0 {
        return if above > 0.0 { 0.0 } else { 0.5 };
    }
    let z = (above / deviation).min(38.0);
    let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if z > 3.0 {
        let fraction = (1..=60).rev().fold(z, |rest, at| z + f64::from(at) / rest);
        return density / fraction;
    }
    let (mut term, mut sum, mut odd) = (z, z, 1.0);
    while term > sum * 1e-17 {
        odd += 2.0;
        term *= z * z / odd;
        sum += term;
    }
    (0.5 - sum * density).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_normal_distribution() {
        let check = |p: f64, z: f64| {
            assert!((quantile_z(p) - z).abs() < 1e-6, "{p}: {} {z}", quantile_z(p));
            assert!((quantile_z(1.0 - p) + z).abs() < 1e-6, "{p}");
            let chance = chance_above(z.abs(), 1.0);
            assert!((chance / p.min(1.0 - p) - 1.0).abs() < 1e-5, "{p}: {chance}");
        };
        check(0.5, 0.0);
        check(0.95, 1.644853627);
        check(0.975, 1.959963985);
        check(0.99, 2.326347874);
        check(0.999, 3.090232306);
        check(0.9999, 3.719016485);
        check(0.999999, 4.753424309);
        assert_eq!(chance_above(1.0, 0.0), 0.0);
        assert_eq!((quantile_z(0.0), quantile_z(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    }
}
