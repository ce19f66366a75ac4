import * as cdk from "aws-cdk-lib";
import * as ec2 from "aws-cdk-lib/aws-ec2";
import * as sagemaker from "aws-cdk-lib/aws-sagemaker";
import { google } from "googleapis";

export const drive = google.drive("v3");
export const app = new cdk.App();
export const stack = new cdk.Stack(app, "bench");
export const vpc = new ec2.Vpc(stack, "vpc");
export type Model = sagemaker.CfnModel;
