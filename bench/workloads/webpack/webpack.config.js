const TerserPlugin = require("terser-webpack-plugin");

module.exports = {
  mode: "production",
  entry: "./src/index.mjs",
  devtool: "source-map",
  performance: { hints: false },
  optimization: { minimizer: [new TerserPlugin({ parallel: true })] },
};
